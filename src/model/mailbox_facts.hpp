// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What discovery found out about a mailbox.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::model {

/// Where a mailbox lives.
enum class MailboxLocation {
  on_premises,  ///< an Exchange server of the organisation or of a hoster
  online,       ///< Exchange Online, in any of Microsoft's clouds
  other,        ///< not on Exchange
};

std::string_view constexpr to_string(MailboxLocation location) noexcept {
  switch (location) {
    case MailboxLocation::on_premises:
      return "on_premises";
    case MailboxLocation::online:
      return "online";
    case MailboxLocation::other:
      return "other";
  }
  return "other";
}

struct MailboxFacts {
  std::string address;          ///< the one that was asked about
  std::string primary_address;  ///< the mailbox's own, if the server told; else `address`
  MailboxLocation location = MailboxLocation::other;
  std::string cloud;               ///< of an online mailbox: "global", "us_government", "us_defense", "china"
  std::string ews_endpoint;        ///< https URL
  bool endpoint_internal = false;  ///< the endpoint is the one for clients inside the network
  std::optional<std::string> server_version;     ///< "15.2.1118.7"
  std::string server_type;                       ///< for people: "Exchange Server 2019", "Exchange Online"
  std::optional<std::string> supported_schemas;  ///< EwsSupportedSchemas as the server gave them
  std::string grouping_information;  ///< mailboxes with the same one may share a stream; empty: not said
  std::optional<std::string> display_name;
  bool remote = false;     ///< a hybrid organisation's server said that the mailbox is elsewhere
  bool confirmed = false;  ///< a server that checked credentials knows the mailbox
  std::string found_by;    ///< "soap", "pox", "json"
  std::string found_at;    ///< URL that answered
  SystemTime found_when{};
};

}  // namespace syncline::model
