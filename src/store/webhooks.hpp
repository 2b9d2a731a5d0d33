// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Who is told of changes of records over HTTP, and how far each has been told. The key that deliveries are
// signed with is in the vault.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/record.hpp"
#include "store/store.hpp"

namespace syncline::store {

using WebhookId = std::int64_t;

struct Webhook {
  WebhookId id = 0;  ///< set by insert
  std::string url = {};
  std::uint32_t kinds = 0;  ///< a bit for each model::RecordKind; 0: all
  std::string owner = {};   ///< only this owner's records; empty: all
  bool enabled = true;
  std::int64_t delivered = 0;  ///< number of the last change that the receiver has taken
  int attempts = 0;            ///< failed ones in a row
  std::optional<SystemTime> failing_since = std::nullopt;
  std::optional<SystemTime> next_try_at = std::nullopt;
  std::optional<SystemTime> last_delivered_at = std::nullopt;
  std::string last_error = {};
  SystemTime created_at = {};  ///< set by insert
  std::string created_by = {};

  bool wants(model::RecordKind kind) const noexcept {
    return kinds == 0 || (kinds & (1U << static_cast<unsigned>(kind))) != 0;
  }
};

Result<Webhook> insert_webhook(Transaction& transaction, Webhook webhook);
/// All of it but created_at and created_by. Error "no-webhook".
Result<void> update_webhook(Transaction& transaction, const Webhook& webhook);
Result<std::optional<Webhook>> find_webhook(Transaction& transaction, WebhookId id);
/// In the order of their ids.
Result<std::vector<Webhook>> list_webhooks(Transaction& transaction);
Result<void> delete_webhook(Transaction& transaction, WebhookId id);

}  // namespace syncline::store
