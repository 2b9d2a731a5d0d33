// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Operations: every write to a server, journalled before it is tried (invariant 6).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"

namespace syncline::store {

enum class OperationState : std::uint8_t { ready, sent, uncertain, done, refused, needs_person };
std::string_view to_string(OperationState state) noexcept;

struct Operation {
  std::string id = {};  ///< UUID; stands in the item
  MailboxId mailbox = 0;
  model::RecordId record = 0;
  LinkId link = 0;  ///< 0: none yet
  OperationState state = OperationState::ready;
  std::string what = {};      ///< "create", "update", "remove", "send"
  std::string order = {};     ///< JSON of the engine's: everything that is needed to carry it out
  std::string progress = {};  ///< the driver's
  std::optional<SystemTime> saved_at = std::nullopt;    ///< of `progress`
  std::optional<SystemTime> not_before = std::nullopt;  ///< earliest next attempt
  int attempts = 0;
  std::string error = {};      ///< the last one, for people
  std::string result_id = {};  ///< remote id of what it made
  SystemTime created_at{};
};

/// Error "operation-exists".
Result<void> insert_operation(Transaction& transaction, const Operation& operation);
/// All of the operation with `operation.id`; its place in the order stays. Error "no-operation".
Result<void> update_operation(Transaction& transaction, const Operation& operation);
/// Only progress and its time, and state sent. Error "no-operation".
Result<void> save_progress(Transaction& transaction, std::string_view id, std::string_view progress,
                           SystemTime at);
Result<std::optional<Operation>> find_operation(Transaction& transaction, std::string_view id);
/// ready, sent and uncertain ones, in the order they were made.
Result<std::vector<Operation>> unfinished_operations(Transaction& transaction, MailboxId mailbox);
Result<std::vector<Operation>> operations_of_record(Transaction& transaction, model::RecordId record);
/// When operations of a kind ("send") last saved their progress, of those after `since`; ascending.
Result<std::vector<SystemTime>> attempts_since(Transaction& transaction, MailboxId mailbox,
                                               std::string_view what, SystemTime since);
/// In the order they were made.
Result<std::vector<Operation>> list_operations(Transaction& transaction, OperationState state, int most);

}  // namespace syncline::store
