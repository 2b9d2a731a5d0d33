// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How far a folder was read (invariant 16). All of it is in the cursor's text: a driver that starts anew
// knows what the last one knew.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routing/imap/uid_set.hpp"

namespace syncline::imap {

struct FeedCursor {
  std::uint32_t uid_validity = 0;
  /// HIGHESTMODSEQ of the SELECT whose changes have all been given out; 0: the folder has none.
  std::uint64_t modseq = 0;
  /// The one of the SELECT that is being given out: it becomes `modseq` when the last page is.
  std::uint64_t next_modseq = 0;
  Uid mark = 0;  ///< UIDNEXT-1 of the last SELECT: what is above is new
  /// UIDs in (floor, down] are still to be given out, from the top; equal: nothing is.
  Uid floor = 0;
  Uid down = 0;
  UidSet known = {};         ///< given out and not vanished
  UidSet seen = {};          ///< of those: read. Kept where the folder has no mod-sequences alone
  std::uint64_t hidden = 0;  ///< messages that EXISTS counts and nothing shows (R-29)

  bool walking() const noexcept { return down > floor; }
  std::string text() const;
  static std::optional<FeedCursor> parse(std::string_view text);
};

}  // namespace syncline::imap
