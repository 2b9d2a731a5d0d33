// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/webhooks.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

#define SYNCLINE_WEBHOOK_COLUMNS                                                \
  "SELECT id, url, kinds, owner, enabled, delivered, attempts, failing_since, " \
  "next_try_at, last_delivered_at, last_error, created_at, created_by FROM webhook "
constexpr Sql by_id_sql = SYNCLINE_WEBHOOK_COLUMNS "WHERE id = ?1";
constexpr Sql list_sql = SYNCLINE_WEBHOOK_COLUMNS "ORDER BY id";
#undef SYNCLINE_WEBHOOK_COLUMNS
constexpr Sql insert_sql =
    "INSERT INTO webhook (url, kinds, owner, enabled, delivered, attempts, last_error, created_at, "
    "created_by)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 0, '', ?6, ?7)";
constexpr Sql update_sql =
    "UPDATE webhook SET url = ?2, kinds = ?3, owner = ?4, enabled = ?5, delivered = ?6, attempts = ?7,"
    " failing_since = ?8, next_try_at = ?9, last_delivered_at = ?10, last_error = ?11 WHERE id = ?1";
constexpr Sql delete_sql = "DELETE FROM webhook WHERE id = ?1";

Webhook read_webhook(const Query& row) {
  return {.id = row.integer(0),
          .url = row.text(1),
          .kinds = static_cast<std::uint32_t>(row.integer(2)),
          .owner = row.text(3),
          .enabled = row.boolean(4),
          .delivered = row.integer(5),
          .attempts = static_cast<int>(row.integer(6)),
          .failing_since = row.optional_time(7),
          .next_try_at = row.optional_time(8),
          .last_delivered_at = row.optional_time(9),
          .last_error = row.text(10),
          .created_at = row.time(11),
          .created_by = row.text(12)};
}

}  // namespace

Result<Webhook> insert_webhook(Transaction& transaction, Webhook webhook) {
  Transaction::Impl& connection = transaction.impl();
  webhook.created_at = connection.now();
  auto inserted = execute(connection, insert_sql, webhook.url, webhook.kinds, webhook.owner, webhook.enabled,
                          webhook.delivered, webhook.created_at, webhook.created_by);
  if (!inserted) return fail(std::move(inserted.error()));
  webhook.id = sqlite3_last_insert_rowid(connection.handle());
  return webhook;
}

Result<void> update_webhook(Transaction& transaction, const Webhook& webhook) {
  Transaction::Impl& connection = transaction.impl();
  auto updated = execute(connection, update_sql, webhook.id, webhook.url, webhook.kinds, webhook.owner,
                         webhook.enabled, webhook.delivered, webhook.attempts, webhook.failing_since,
                         webhook.next_try_at, webhook.last_delivered_at, webhook.last_error);
  if (!updated) return updated;
  if (changed_rows(connection) == 0)
    return fail(ErrorDomain::input, "no-webhook", "There is no webhook " + std::to_string(webhook.id));
  return {};
}

Result<std::optional<Webhook>> find_webhook(Transaction& transaction, WebhookId id) {
  Query query(transaction.impl(), by_id_sql, id);
  return read_one<Webhook>(query, read_webhook);
}

Result<std::vector<Webhook>> list_webhooks(Transaction& transaction) {
  Query query(transaction.impl(), list_sql);
  return read_all<Webhook>(query, read_webhook);
}

Result<void> delete_webhook(Transaction& transaction, WebhookId id) {
  return execute(transaction.impl(), delete_sql, id);
}

}  // namespace syncline::store
