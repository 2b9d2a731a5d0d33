// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/webhook_json.hpp"

#include <boost/json/array.hpp>

#include "service/views/change_feed.hpp"
#include "service/views/json_values.hpp"

namespace syncline::service {

namespace json = boost::json;

namespace {

json::value time_or_null(const std::optional<SystemTime>& time) {
  if (!time) return nullptr;
  return json::value(json_time(*time));
}

}  // namespace

json::object to_json(const store::Webhook& webhook, std::string_view organisation_id) {
  json::array kinds;
  for (const model::RecordKind kind : model::record_kinds)
    if (webhook.wants(kind)) kinds.emplace_back(model::to_string(kind));
  return {{"id", std::to_string(webhook.id)},
          {"url", webhook.url},
          {"kinds", std::move(kinds)},
          {"owner", text_or_null(webhook.owner)},
          {"enabled", webhook.enabled},
          {"state", !webhook.enabled       ? "disabled"
                    : webhook.attempts > 0 ? "failing"
                                           : "working"},
          {"place", feed_token(organisation_id, webhook.delivered)},
          {"attempts", webhook.attempts},
          {"failingSince", time_or_null(webhook.failing_since)},
          {"nextTryAt", time_or_null(webhook.next_try_at)},
          {"lastDeliveredAt", time_or_null(webhook.last_delivered_at)},
          {"lastError", text_or_null(webhook.last_error)},
          {"createdAt", json_time(webhook.created_at)},
          {"createdBy", webhook.created_by}};
}

}  // namespace syncline::service
