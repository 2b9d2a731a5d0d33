// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the organisation as a whole stands, in numbers: for metrics.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace syncline::store {

struct Standing {
  std::int64_t writes_waiting = 0;  ///< operations that are not finished
  /// Linked records that have changed since both sides agreed, and messages to be sent, for which the next
  /// run makes its operations.
  std::int64_t changes_waiting = 0;
  std::int64_t writes_for_a_person = 0;          ///< those that no evidence can settle
  std::int64_t quarantined = 0;                  ///< remote items that cannot be read
  std::array<std::int64_t, 3> alerts_open = {};  ///< by AlertLevel
};
Result<Standing> read_standing(Transaction& transaction);
/// Of these `changes_waiting` those of linked records, in one mailbox.
Result<std::int64_t> count_stale_links(Transaction& transaction, std::int64_t mailbox);

/// Messages of this owner that are to be sent and have no operation yet.
Result<std::int64_t> count_unsent(Transaction& transaction, std::string_view owner);
/// Number of the change after which just `records` others changed; 0: there are not more of them.
Result<std::int64_t> change_before_latest(Transaction& transaction, int records);

/// Folders that were read again from their beginning, by the reason in the journal.
struct Resyncs {
  std::int64_t journal_sequence = 0;  ///< as far as was counted
  std::map<std::string, std::uint64_t, std::less<>> by_reason = {};
};
/// Adds those since `so_far.journal_sequence`.
Result<Resyncs> count_resyncs(Transaction& transaction, Resyncs so_far);
/// Of nothing yet: counting begins after the journal's last line.
Result<Resyncs> begin_counting_resyncs(Transaction& transaction);

}  // namespace syncline::store
