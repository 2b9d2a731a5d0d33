// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/http_status.hpp"

#include "base/text.hpp"
#include "ews/client/busy.hpp"

namespace syncline::ews {
namespace {

std::string_view media_type(const net::Headers& headers) {
  const auto value = headers.find("Content-Type");
  if (!value) return {};
  return text::trim(value->substr(0, value->find(';')));
}

bool contains_ignore_case(std::string_view haystack, std::string_view needle) {
  return text::to_lower_ascii(haystack).find(text::to_lower_ascii(needle)) != std::string::npos;
}

// The 403 forms of a switched-off EWS carry one of these in X-MS-Diagnostics or in the body
// (docs/protocol-notes).
bool says_ews_is_off(const net::Headers& headers, std::string_view body) {
  for (const std::string_view said : {headers.find("X-MS-Diagnostics").value_or(""), body}) {
    for (const std::string_view mark : {"EWS is disabled", "EWS has been disabled", "EwsDisabled",
                                        "EWSEnabled", "ewsapplicationaccesspolicy", "blocked by the tenant",
                                        "EWSAllowedAppIDs", "retirement of Exchange Web Services"}) {
      if (contains_ignore_case(said, mark)) return true;
    }
  }
  return false;
}

/// What a person would read of a page or a fault: a page's title, else the text without markup.
std::string first_words(std::string_view body) {
  constexpr std::size_t most_octets = 4096;
  constexpr std::size_t most_words = 200;
  body = body.substr(0, most_octets);
  if (const std::size_t title = body.find("<title>"); title != std::string_view::npos) {
    body.remove_prefix(title);
    body = body.substr(0, body.find("</title>"));
  }
  std::string words;
  bool in_markup = false;
  for (const char c : body) {
    if (c == '<') in_markup = true;
    const bool is_space = in_markup || c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (c == '>') in_markup = false;
    if (!is_space)
      words.push_back(c);
    else if (!words.empty() && words.back() != ' ')
      words.push_back(' ');
  }
  return text::to_xml_text(text::trim(std::string_view(words).substr(0, most_words)));
}

}  // namespace

bool may_be_soap(int status, const net::Headers& headers) {
  if (status != 200 && status != 500) return false;
  const std::string_view type = media_type(headers);
  return type.empty() || text::equals_ignore_case(type, "text/xml") ||
         text::equals_ignore_case(type, "application/xml") ||
         text::equals_ignore_case(type, "application/soap+xml");
}

Error error_of(int status, const net::Headers& headers, std::string_view body, SystemTime now) {
  Error error{.domain = ErrorDomain::http, .code = "http-" + std::to_string(status), .http_status = status};
  const auto say = [&](std::string message, RetryClass retry) {
    error.message = std::move(message);
    error.retry = retry;
  };
  const std::string number = std::to_string(status);
  if (const auto value = headers.find("Retry-After")) error.retry_after = retry_after_of(*value, now);

  if (status == 200) {
    const bool html = text::equals_ignore_case(media_type(headers), "text/html");
    error.code = html ? "html-page" : "wrong-content-type";
    say(html
            ? "the server answered with a web page instead of SOAP: a login page or a proxy stands in between"
            : "the server answered with " + std::string(media_type(headers)) + " instead of SOAP",
        RetryClass::rediscover);
  } else if (status == 401) {
    say("the server refused the credentials (HTTP 401)", RetryClass::reauthenticate);
  } else if (status == 403 && says_ews_is_off(headers, body)) {
    error.code = "ews-disabled";
    say("Exchange Web Services are switched off for this tenant, mailbox or application (HTTP 403): " +
            first_words(body),
        RetryClass::never);
  } else if (status == 403) {
    error.code = "forbidden";
    // A blocked EWS mostly says nothing more than this (docs/protocol-notes).
    const std::string words = first_words(body);
    say("the server knows the credentials and forbids the access (HTTP 403" +
            (words.empty() ? std::string() : ", \"" + words + "\"") +
            "); Exchange Web Services may be switched off for this tenant, mailbox or application",
        RetryClass::reauthenticate);
  } else if (status >= 300 && status < 400) {
    error.code = "redirected";
    say("the server points elsewhere (HTTP " + number + ", " +
            std::string(headers.find("Location").value_or("no location")) + ")",
        RetryClass::rediscover);
  } else if (status == 404 || status == 410 || status == 421) {
    say("there is no Exchange Web Services at this address (HTTP " + number + ")", RetryClass::rediscover);
  } else if (status == 413 || status == 507) {
    error.code = "request-too-large";
    say("the server refuses a request of this size (HTTP " + number + ")", RetryClass::never);
  } else if (status == 408 || status == 429 || status >= 500) {
    say("the server cannot answer now (HTTP " + number + ")" + (body.empty() ? "" : ": " + first_words(body)),
        RetryClass::after);
  } else {
    say("the server refused the request (HTTP " + number + "): " + first_words(body), RetryClass::never);
  }
  return error;
}

}  // namespace syncline::ews
