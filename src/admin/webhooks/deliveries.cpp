// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/webhooks/deliveries.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/cancel.hpp"
#include "service/organisation/webhooks.hpp"
#include "service/views/change_feed.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::admin {
namespace {

namespace json = boost::json;
namespace asio = net::asio;

/// One request to be: what it says, and how far the receiver is after it.
struct Delivery {
  store::Webhook webhook;
  std::string body = {};  ///< empty: nothing for this receiver among what was looked at
  std::string id = {};
  std::int64_t end = 0;
  bool has_more = false;
};

Result<Delivery> next_delivery(store::Transaction& transaction, const std::string& organisation_id,
                               store::Webhook webhook, const DeliverySettings& settings) {
  service::FeedQuery query{.after = webhook.delivered,
                           .kinds = webhook.kinds,
                           .most = settings.changes_at_once,
                           .most_octets = settings.octets_at_once};
  if (!webhook.owner.empty()) query.owner = webhook.owner;
  auto page = service::read_feed(transaction, query);
  if (!page) return fail(std::move(page.error()));
  Delivery delivery{.webhook = std::move(webhook), .end = page->end, .has_more = page->has_more};
  std::string changes;
  for (const service::FeedChange& change : page->changes) {
    std::string one = json::serialize(json::object{
        {"token", service::feed_token(organisation_id, change.change)}, {"record", change.record}});
    if (!changes.empty() && changes.size() + one.size() > settings.octets_at_once) {
      delivery.has_more = true;
      break;
    }
    if (!changes.empty()) changes += ",";
    changes += one;
    delivery.end = change.change;
  }
  if (changes.empty()) return delivery;
  if (!delivery.has_more) delivery.end = page->end;
  // The same changes have the same id, however often they come.
  delivery.id = fmt::format("{}-{}-{}", delivery.webhook.id, delivery.webhook.delivered, delivery.end);
  delivery.body =
      fmt::format(R"({{"webhook":"{}","delivery":"{}","changes":[{}],"next":"{}"}})", delivery.webhook.id,
                  delivery.id, changes, service::feed_token(organisation_id, delivery.end));
  return delivery;
}

/// What became of a delivery, over the webhook as it is by now.
Result<void> note(store::Transaction& transaction, store::WebhookId id, std::int64_t delivered,
                  SystemTime now) {
  auto webhook = store::find_webhook(transaction, id);
  if (!webhook) return fail(std::move(webhook.error()));
  if (!*webhook) return {};
  (*webhook)->delivered = std::max((*webhook)->delivered, delivered);
  (*webhook)->attempts = 0;
  (*webhook)->failing_since = std::nullopt;
  (*webhook)->next_try_at = std::nullopt;
  (*webhook)->last_delivered_at = now;
  (*webhook)->last_error.clear();
  return store::update_webhook(transaction, **webhook);
}

std::chrono::milliseconds pause_after(int attempts, const DeliverySettings& settings, Random& random) {
  std::chrono::milliseconds pause = settings.first_pause;
  for (int i = 1; i < attempts && pause < settings.longest_pause; ++i) pause *= 2;
  pause = std::min(pause, settings.longest_pause);
  // A fifth sooner or later, so that receivers that came back together are not asked together.
  const auto fifth = static_cast<std::uint64_t>(pause.count() / 5 + 1);
  return pause - std::chrono::milliseconds(fifth) + std::chrono::milliseconds(random.below(2 * fifth));
}

Result<bool> note_failure(store::Transaction& transaction, store::WebhookId id, const Error& error,
                          const DeliverySettings& settings, SystemTime now, Random& random) {
  auto found = store::find_webhook(transaction, id);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return false;
  store::Webhook& webhook = **found;
  ++webhook.attempts;
  if (!webhook.failing_since) webhook.failing_since = now;
  webhook.last_error = text::escape_for_display(error.describe());
  const auto pause = pause_after(webhook.attempts, settings, random);
  webhook.next_try_at = now + std::max(pause, error.retry_after.value_or(pause));
  // 410: the receiver is gone, and says so.
  const bool is_over = error.http_status == 410 || now - *webhook.failing_since >= settings.disabled_after;
  if (is_over && webhook.enabled) {
    webhook.enabled = false;
    auto raised = store::raise_alert(
        transaction, {.level = store::AlertLevel::error,
                      .code = fmt::format("webhook-disabled-{}", id),
                      .text = fmt::format("Webhook {} to {} was switched off: {}", id,
                                          std::string_view(webhook.url).substr(0, webhook.url.find('?')),
                                          webhook.last_error),
                      .remedy = "Mend the receiver and enable the webhook: it goes on where it was."});
    if (!raised) return fail(std::move(raised.error()));
  }
  if (auto updated = store::update_webhook(transaction, webhook); !updated)
    return fail(std::move(updated.error()));
  return is_over;
}

}  // namespace

std::string webhook_signature(std::string_view key, std::int64_t unix_seconds, std::string_view body) {
  const std::string signed_part = fmt::format("{}.{}", unix_seconds, body);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), digest, &length);
  std::string text = fmt::format("t={},v1=", unix_seconds);
  for (unsigned i = 0; i < length; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  return text;
}

Deliveries::Deliveries(net::Environment& environment, service::Organisation& organisation, Poster& poster,
                       DeliverySettings settings)
    : environment_(environment),
      organisation_(organisation),
      poster_(poster),
      settings_(settings),
      changed_(environment.executor) {}

void Deliveries::stop() {
  is_stopping_ = true;
  for (const auto& [id, cancel] : at_work_) net::emit_cancellation(environment_.executor, *cancel, cancel);
  changed_.notify_all();
}

asio::awaitable<void> Deliveries::tick() {
  const SteadyTime until = environment_.clock.steady_now() + settings_.look_pause;
  static_cast<void>(co_await environment_.timers.sleep_until(until));
  is_ticking_ = false;
  resting_.clear();
  changed_.notify_all();
}

net::Async<void> Deliveries::run() {
  while (!is_stopping_) {
    if (auto looked = look(); !looked) log::warning("webhooks", looked.error().describe());
    if (!is_ticking_) {
      is_ticking_ = true;
      asio::co_spawn(environment_.executor, tick(), asio::detached);
    }
    auto waited = co_await changed_.wait();
    if (!waited) break;
  }
  is_stopping_ = true;
  while (!at_work_.empty() || is_ticking_) {
    auto waited = co_await changed_.wait();
    if (!waited) break;
  }
  co_return Result<void>{};
}

Result<void> Deliveries::look() {
  const SystemTime now = organisation_.clock().now();
  std::vector<store::WebhookId> due;
  auto looked = organisation_.store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    auto webhooks = store::list_webhooks(transaction);
    if (!webhooks) return fail(std::move(webhooks.error()));
    if (webhooks->empty()) return {};
    auto last = store::last_change(transaction);
    if (!last) return fail(std::move(last.error()));
    for (const store::Webhook& webhook : *webhooks)
      if (webhook.enabled && webhook.delivered < *last &&
          (!webhook.next_try_at || *webhook.next_try_at <= now))
        due.push_back(webhook.id);
    return {};
  });
  if (!looked) return looked;
  for (const store::WebhookId id : due) {
    if (at_work_.size() >= settings_.webhooks_at_once) break;
    if (at_work_.contains(id) || resting_.contains(id)) continue;
    auto cancel = std::make_shared<asio::cancellation_signal>();
    at_work_.emplace(id, cancel);
    asio::co_spawn(
        environment_.executor, tell(id),
        asio::bind_cancellation_slot(cancel->slot(), [this, id, cancel](const std::exception_ptr& thrown) {
          if (thrown)
            log::error("webhooks", fmt::format("webhook {}: out of memory, or a fault of ours", id));
          at_work_.erase(id);
          resting_.insert(id);
          changed_.notify_all();
        }));
  }
  return {};
}

asio::awaitable<void> Deliveries::tell(store::WebhookId id) {
  store::Store& store = organisation_.store();
  while (!is_stopping_) {
    using Next = std::optional<Delivery>;
    auto next = store.read<Next>([&](store::Transaction& transaction) -> Result<Next> {
      auto webhook = store::find_webhook(transaction, id);
      if (!webhook) return fail(std::move(webhook.error()));
      if (!*webhook || !(*webhook)->enabled) return Next();
      auto delivery = next_delivery(transaction, store.organisation_id(), std::move(**webhook), settings_);
      if (!delivery) return fail(std::move(delivery.error()));
      return Next(std::move(*delivery));
    });
    if (!next) {
      log::warning("webhooks", next.error().describe());
      co_return;
    }
    if (!*next) co_return;
    Delivery& delivery = **next;
    if (delivery.body.empty()) {
      // Nothing of it is for this receiver. If this is lost, it is looked at again.
      auto moved = store.write<void>(
          [&](store::Transaction& transaction) -> Result<void> {
            auto webhook = store::find_webhook(transaction, id);
            if (!webhook || !*webhook) return {};
            (*webhook)->delivered = std::max((*webhook)->delivered, delivery.end);
            return store::update_webhook(transaction, **webhook);
          },
          store::Durability::with_the_next);
      if (!moved || !delivery.has_more) co_return;
      // Others are to have their turn, however long the feed is in which nothing is for this receiver.
      co_await asio::post(environment_.executor, asio::use_awaitable);
      continue;
    }
    auto key = organisation_.secrets().get(service::secret_key(service::webhook_key_name(id)));
    if (!key || !*key) {
      log::error("webhooks", key ? fmt::format("webhook {} has no signing key", id) : key.error().describe());
      co_return;
    }
    const SystemTime now = organisation_.clock().now();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    net::Headers headers;
    headers.set("Syncline-Signature", webhook_signature((*key)->reveal(), seconds, delivery.body));
    headers.set("Syncline-Delivery", delivery.id);
    std::string url = delivery.webhook.url;
    std::string body = std::move(delivery.body);
    auto posted = co_await poster_.post(std::move(url), std::move(body), std::move(headers));
    if (!posted && posted.error().code == "cancelled") co_return;
    const SystemTime then = organisation_.clock().now();
    if (posted) {
      auto noted = store.write<void>(
          [&](store::Transaction& transaction) { return note(transaction, id, delivery.end, then); });
      if (!noted) {
        log::warning("webhooks", noted.error().describe());
        co_return;
      }
      if (!delivery.has_more) co_return;
      continue;
    }
    auto over = store.write<bool>([&](store::Transaction& transaction) {
      return note_failure(transaction, id, posted.error(), settings_, then, environment_.random);
    });
    log::warning("webhooks", fmt::format("webhook {}: {}{}", id, posted.error().describe(),
                                         over && *over ? "; it is switched off" : ""));
    co_return;
  }
}

}  // namespace syncline::admin
