// SPDX-License-Identifier: GPL-3.0-or-later
// Webhooks: who is told of changes of records.
#include "service/organisation/webhooks.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "admin/api/call.hpp"
#include "base/text.hpp"
#include "service/views/change_feed.hpp"
#include "service/views/webhook_json.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

unexpected<Error> no_webhook(std::int64_t id) {
  return fail(ErrorDomain::input, "no-webhook", fmt::format("There is no webhook {}", id));
}
unexpected<Error> bad(std::string why) {
  return fail(ErrorDomain::input, "bad-value", std::move(why));
}

json::object shown(Call& call, const store::Webhook& webhook) {
  return service::to_json(webhook, call.store().organisation_id());
}

/// Of what people set, not of how deliveries go: a webhook at work would have another one all the time.
std::string etag(const store::Webhook& webhook) {
  return etag_of(json::object{{"url", webhook.url},
                              {"kinds", webhook.kinds},
                              {"owner", webhook.owner},
                              {"enabled", webhook.enabled}});
}

Answer webhook_answer(Call& call, const store::Webhook& webhook) {
  Answer answer = json_answer(shown(call, webhook));
  answer.header.emplace_back("ETag", etag(webhook));
  return answer;
}

Result<store::Webhook> found(store::Transaction& transaction, std::int64_t id) {
  auto webhook = store::find_webhook(transaction, id);
  if (!webhook) return fail(std::move(webhook.error()));
  if (!*webhook) return no_webhook(id);
  return std::move(**webhook);
}
/// The same, once If-Match agreed.
Result<store::Webhook> matched(Call& call, store::Transaction& transaction, std::int64_t id) {
  auto webhook = found(transaction, id);
  if (!webhook) return webhook;
  if (auto same = call.check_match(etag(*webhook)); !same) return fail(std::move(same.error()));
  return webhook;
}

/// What the body says over what the webhook is.
Result<void> take_over(const json::object& body, store::Webhook& webhook) {
  for (const auto& [name, value] : body) {
    if (name == "url") {
      if (!value.is_string()) return bad("url must be a text");
      webhook.url = std::string(value.get_string());
    } else if (name == "owner") {
      if (!value.is_null() && !value.is_string()) return bad("owner must be an address, or null");
      webhook.owner = value.is_null() ? "" : text::to_lower_ascii(std::string_view(value.get_string()));
    } else if (name == "enabled") {
      if (!value.is_bool()) return bad("enabled must be true or false");
      webhook.enabled = value.get_bool();
    } else if (name == "kinds") {
      if (!value.is_null() && !value.is_array()) return bad("kinds must be an array, or null: all");
      webhook.kinds = 0;
      if (value.is_null()) continue;
      for (const json::value& one : value.get_array()) {
        const auto kind =
            one.is_string() ? model::parse_record_kind(std::string_view(one.get_string())) : std::nullopt;
        if (!kind) return bad("kinds: there is email, appointment, contact and task");
        webhook.kinds |= 1U << static_cast<unsigned>(*kind);
      }
    }
  }
  return {};
}

Result<Answer> list(Call& call) {
  auto webhooks = call.store().read<std::vector<store::Webhook>>(store::list_webhooks);
  if (!webhooks) return fail(std::move(webhooks.error()));
  json::array items;
  for (const store::Webhook& webhook : *webhooks) items.push_back(shown(call, webhook));
  return page_answer(std::move(items), std::nullopt);
}

Result<Answer> show(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto webhook = call.store().read<store::Webhook>(
      [&](store::Transaction& transaction) { return found(transaction, *id); });
  if (!webhook) return fail(std::move(webhook.error()));
  return webhook_answer(call, *webhook);
}

/// With the key, this once.
Answer made_answer(Call& call, const service::MadeWebhook& made, int status) {
  json::object object = shown(call, made.webhook);
  object["signingKey"] = nullptr;
  std::string kept = json::serialize(object) + "\n";
  object["signingKey"] = made.key.reveal();
  Answer answer = json_answer(object, status);
  answer.header.emplace_back("Location", fmt::format("/api/v1/webhooks/{}", made.webhook.id));
  answer.kept_body = std::move(kept);
  return answer;
}

Result<Answer> create(Call& call) {
  auto body = call.object({"url", "kinds", "owner", "enabled", "after"});
  if (!body) return fail(std::move(body.error()));
  store::Webhook wanted;
  if (auto good = take_over(*body, wanted); !good) return fail(std::move(good.error()));
  // A receiver begins at the present unless it names a place in the feed, or null: the very beginning.
  const json::value* const after = body->if_contains("after");
  if (after != nullptr && !after->is_null()) {
    if (!after->is_string()) return bad("after must be a token of the feed, or null");
    auto place = service::parse_feed_token(call.store().organisation_id(), after->get_string());
    if (!place) return fail(std::move(place.error()));
    wanted.delivered = *place;
  }
  auto vault = call.organisation().vault();
  if (!vault) return fail(std::move(vault.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto last = store::last_change(transaction);
    if (!last) return fail(std::move(last.error()));
    if (after == nullptr) wanted.delivered = *last;
    if (wanted.delivered > *last)
      return bad("after is beyond the end of the feed: the store was put back to an older state; begin anew");
    auto made =
        service::create_webhook(transaction, **vault, call.organisation().random(), wanted, call.actor());
    if (!made) return fail(std::move(made.error()));
    Answer answer = made_answer(call, *made, 201);
    if (auto kept = call.remember(transaction, answer); !kept) return fail(std::move(kept.error()));
    return answer;
  });
}

Result<Answer> renew_key(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto vault = call.organisation().vault();
  if (!vault) return fail(std::move(vault.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto made =
        service::renew_webhook_key(transaction, **vault, call.organisation().random(), *id, call.actor());
    if (!made) return fail(std::move(made.error()));
    Answer answer = made_answer(call, *made, 200);
    if (auto kept = call.remember(transaction, answer); !kept) return fail(std::move(kept.error()));
    return answer;
  });
}

Result<Answer> change(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto body = call.object({"url", "kinds", "owner", "enabled"});
  if (!body) return fail(std::move(body.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto webhook = matched(call, transaction, *id);
    if (!webhook) return fail(std::move(webhook.error()));
    const bool was_enabled = webhook->enabled;
    if (auto good = take_over(*body, *webhook); !good) return fail(std::move(good.error()));
    // Somebody looked after it: it is tried at once.
    webhook->next_try_at = std::nullopt;
    if (webhook->enabled && !was_enabled) {
      webhook->attempts = 0;
      webhook->failing_since = std::nullopt;
      webhook->last_error.clear();
      auto cleared = store::clear_alert(transaction, 0, fmt::format("webhook-disabled-{}", *id));
      if (!cleared) return fail(std::move(cleared.error()));
    }
    auto changed = service::change_webhook(transaction, *webhook, call.actor());
    if (!changed) return fail(std::move(changed.error()));
    return webhook_answer(call, *webhook);
  });
}

Result<Answer> remove(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto removed = call.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    auto webhook = matched(call, transaction, *id);
    if (!webhook) return fail(std::move(webhook.error()));
    return service::remove_webhook(transaction, *id, call.actor());
  });
  if (!removed) return fail(std::move(removed.error()));
  return Answer{.status = 204};
}

}  // namespace

void add_webhook_routes(std::vector<Route>& routes) {
  routes.push_back(
      {.path = "/webhooks", .operation = "listWebhooks", .roles = applications, .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/webhooks",
                    .operation = "createWebhook",
                    .roles = applications,
                    .body = {json_body},
                    .answers = {201},
                    .carries_credentials = true,
                    .handler = create});
  routes.push_back(
      {.path = "/webhooks/{id}", .operation = "getWebhook", .roles = applications, .handler = show});
  routes.push_back({.method = Method::patch,
                    .path = "/webhooks/{id}",
                    .operation = "changeWebhook",
                    .roles = applications,
                    .body = {merge_patch_body, json_body},
                    .needs_match = true,
                    .handler = change});
  routes.push_back({.method = Method::remove,
                    .path = "/webhooks/{id}",
                    .operation = "removeWebhook",
                    .roles = applications,
                    .answers = {204},
                    .needs_match = true,
                    .handler = remove});
  routes.push_back({.method = Method::post,
                    .path = "/webhooks/{id}/signing-key",
                    .operation = "renewWebhookKey",
                    .roles = applications,
                    .carries_credentials = true,
                    .handler = renew_key});
}

}  // namespace syncline::admin::api
