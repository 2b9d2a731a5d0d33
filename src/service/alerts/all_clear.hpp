// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The end of a trouble is an information for those who were told of the trouble, and for nobody else.
#include <string_view>

#include "store/journal.hpp"

namespace syncline::service {

/// Codes of such information.
inline constexpr std::string_view mailbox_works_again = "mailbox-works-again";
inline constexpr std::string_view mailbox_goes_on = "mailbox-goes-on";
inline constexpr std::string_view profile_works_again = "profile-works-again:";  ///< and the profile's name
bool is_all_clear(std::string_view code) noexcept;

/// Settles the open alert of this mailbox and code, if there is one, and raises `information` in its place:
/// its people are those whose message about the trouble has gone out. `silent`: settles only.
Result<void> settle_with_word(store::Transaction& transaction, store::MailboxId mailbox,
                              std::string_view code, store::Alert information, bool silent = false);

}  // namespace syncline::service
