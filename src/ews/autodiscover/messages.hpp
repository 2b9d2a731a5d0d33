// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Requests and answers of the three Autodiscover services: v2 (JSON), SOAP (GetUserSettings), POX ("plain old
// XML"). Pure; docs/protocol-notes/autodiscover.md says what real servers do.
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::ews::autodiscover {

/// Path and query for v2: "/autodiscover/autodiscover.json/v1.0/user%40domain?Protocol=EWS".
std::string json_target(std::string_view address);
/// The address that a v2 URL asks about: `Email=` of its query, or the segment behind "/v1.0/". `target`:
/// path and query. nullopt: it names none.
std::optional<std::string> address_of_json_target(std::string_view target);
/// GetUserSettings for one mailbox, to be posted to `url` as text/xml.
std::string soap_request(std::string_view address, std::string_view url);
/// The Outlook request schema, to be posted as text/xml.
std::string pox_request(std::string_view address);

/// What one answer says. Texts are as the server sent them, cut at 2 KiB.
struct Answer {
  enum class Kind {
    settings,          ///< the fields below hold what was told
    redirect_address,  ///< `target` is another address of the same mailbox
    redirect_url,      ///< `target` is the URL to ask instead
    error,             ///< `code` and `text`
  };
  Kind kind = Kind::error;
  std::string target;
  std::string code;
  std::string text;
  std::string external_ews_url;
  std::string internal_ews_url;
  std::string primary_address;
  std::string display_name;
  std::string server_version;  ///< "15.2.1118.7"
  std::string supported_schemas;
  std::string grouping_information;
};

/// Bodies may be anything at all. Errors: domain autodiscover "html-page", "not-autodiscover"; domain xml
/// what the scanner refused ("dtd-refused", "too-deep", "too-large", "truncated", "not-xml").
Result<Answer> read_json(std::string_view body);
Result<Answer> read_soap(std::string_view body);
Result<Answer> read_pox(std::string_view body);

/// POX writes versions as eight hex digits; "73C1840A" is 15.1.1034. nullopt if it is not one.
std::optional<std::string> version_of_hex(std::string_view hex);
/// "Exchange Server 2019" for "15.2.1118.7"; empty if the version is not one we know of.
std::string product_of_version(std::string_view version);

/// Octets of an answer that are read at most.
constexpr std::uint64_t max_answer_octets = 1024 * 1024;

}  // namespace syncline::ews::autodiscover
