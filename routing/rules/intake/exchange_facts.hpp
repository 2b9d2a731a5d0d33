// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the words of Exchange's shell say about a mailbox.
#include <optional>
#include <string_view>

#include "routing/rules/words.hpp"

namespace syncline::rules {

/// What a value of RecipientTypeDetails is.
struct RecipientMeaning {
  Word host;            ///< value of mbx_host
  Word recipient_type;  ///< value of mbx_recipient_type
  Word kind;            ///< value of mbx_kind that a record for it would have
  std::optional<Word> version = std::nullopt;
  bool external_target = false;
  bool system = false;  ///< belongs to Exchange itself: nobody's mailbox
};
/// nullopt: not a value we know.
std::optional<RecipientMeaning> recipient_meaning(std::string_view recipient_type_details) noexcept;

/// Value of mbx_exchange_version for AdminDisplayVersion: "Version 15.1 (Build 2507.6)", also
/// "15.01.2507.006", with or without the 30000 that the directory adds to the build. nullopt if it cannot be
/// read, or is not a server's.
std::optional<Word> exchange_version(std::string_view admin_display_version) noexcept;

}  // namespace syncline::rules
