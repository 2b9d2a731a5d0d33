// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/non_delivery.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;

namespace {

/// "Mon, 02 Mar 2026 09:00:00 +0000".
std::string mail_date(syncline::SystemTime now) {
  using namespace std::chrono;
  constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<std::chrono::days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(now - day));
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                days[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out.data();
}

/// What others said or chose, on one line of ASCII.
std::string one_line(std::string_view said) {
  std::string out(said.substr(0, 500));
  for (char& c : out) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x80)
      c = '?';
    else if (octet < 0x20 || octet == 0x7F)
      c = ' ';
  }
  return out;
}

/// RFC 2047: words of 75 octets at most, cut between characters.
std::string encoded_words(std::string_view words) {
  std::string out;
  std::string chunk;
  const auto flush = [&] {
    out += (out.empty() ? "=?utf-8?B?" : "\r\n =?utf-8?B?") + syncline::base64_encode(chunk) + "?=";
    chunk.clear();
  };
  while (!words.empty()) {
    const auto point = text::next_code_point(words);
    const std::size_t length = point ? point->length : 1;
    if (chunk.size() + length > 45) flush();
    if (point)
      chunk += words.substr(0, length);
    else
      chunk += '?';
    words.remove_prefix(length);
  }
  flush();
  return out;
}

/// The enhanced status code a reply begins with (RFC 3463), else the class of its number.
std::string status_of(const Verdict& verdict) {
  const std::string first(verdict.text.substr(0, verdict.text.find(' ')));
  const auto parts = text::split(first, '.');
  const bool is_status = parts.size() == 3 && (parts[0] == "4" || parts[0] == "5") &&
                         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
                           return part.size() <= 3 && text::parse_int(part).value_or(-1) >= 0;
                         });
  return is_status ? first : verdict.code >= 500 ? "5.0.0" : "4.4.7";
}

std::string header_of(std::string_view mime) {
  const std::size_t end = mime.find("\r\n\r\n");
  return std::string(mime.substr(0, end == std::string_view::npos ? mime.size() : end + 2));
}

}  // namespace

std::string non_delivery_report(const OutgoingMail& mail, const std::vector<Refusal>& refusals,
                                const ReportNames& names, syncline::SystemTime now) {
  const std::string domain = mail.from.substr(mail.from.rfind('@') + 1);
  const std::string boundary = "_ndr_" + names.unique + "_";
  const std::string separator = "--" + boundary + "\r\n";
  std::string out = "From: \"Microsoft Outlook\" <postmaster@" + domain + ">\r\nTo: " + mail.from +
                    "\r\nSubject: " + encoded_words("Undeliverable: " + mail.subject.substr(0, 300)) +
                    "\r\nDate: " + mail_date(now) + "\r\nMessage-ID: <" + names.unique + "@" +
                    names.reporting_host + ">\r\n";
  if (const std::string id = one_line(mail.message_id); !id.empty())
    out += "In-Reply-To: " + id + "\r\nReferences: " + id + "\r\n";
  out +=
      "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=\"" +
      boundary + "\"\r\n\r\n" + separator + "Content-Type: text/plain; charset=us-ascii\r\n\r\n" +
      "Delivery has failed to these recipients:\r\n";
  for (const auto& [recipient, verdict] : refusals)
    out += "\r\n" + one_line(recipient) + "\r\n  " + std::to_string(verdict.code) + ' ' +
           one_line(verdict.text) + "\r\n";
  out += "\r\n" + separator + "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;" +
         names.reporting_host + "\r\n";
  for (const auto& [recipient, verdict] : refusals) {
    out += "\r\nFinal-Recipient: rfc822;" + one_line(recipient) +
           "\r\nAction: failed\r\nStatus: " + status_of(verdict) + "\r\nDiagnostic-Code: smtp;" +
           std::to_string(verdict.code) + ' ' + one_line(verdict.text) + "\r\n";
    if (!names.remote_host.empty()) out += "Remote-MTA: dns;" + names.remote_host + "\r\n";
  }
  out += "\r\n" + separator + "Content-Type: text/rfc822-headers\r\n\r\n" + header_of(mail.mime) + "\r\n--" +
         boundary + "--\r\n";
  return out;
}

}  // namespace exchange_sim
