// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "routing/rules/words.hpp"

namespace syncline::router {

/// What discovery found out about a mailbox. Empty: not found out.
struct MailboxFacts {
  std::optional<std::string> ews_url;   ///< from Autodiscover, already past its allow-list
  std::optional<rules::Word> host;      ///< where it lives: a value of mbx_host
  std::optional<std::string> found_by;  ///< "Autodiscover v2", for the route's reasons
};

}  // namespace syncline::router
