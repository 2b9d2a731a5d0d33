// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tells webhooks of changes of records: each in the order of the feed, one request at a time, again until it
// is taken. How far each has been told is in the store, written after the receiver has said yes: what was
// under way when the process ended comes again.
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "admin/webhooks/poster.hpp"
#include "net/event.hpp"
#include "service/organisation/organisation.hpp"
#include "store/webhooks.hpp"

namespace syncline::admin {

struct DeliverySettings {
  std::chrono::milliseconds look_pause = std::chrono::seconds(1);   ///< for changes and for new webhooks
  std::chrono::milliseconds first_pause = std::chrono::seconds(2);  ///< after a failure; doubled with each
  std::chrono::milliseconds longest_pause = std::chrono::hours(1);
  std::chrono::hours disabled_after{5 * 24};  ///< of failing without an end; an alert says so
  int changes_at_once = 50;
  std::size_t octets_at_once = 4 * 1024 * 1024;
  std::size_t webhooks_at_once = 8;
};

/// "t=1795000000,v1=hex": HMAC-SHA256 with the key of "t.body". A receiver refuses what is old.
std::string webhook_signature(std::string_view key, std::int64_t unix_seconds, std::string_view body);

class Deliveries {
 public:
  /// All must outlive it.
  Deliveries(net::Environment& environment, service::Organisation& organisation, Poster& poster,
             DeliverySettings settings = {});

  /// Until `stop`; what is under way is cut off then, and comes again after the next start.
  net::Async<void> run();
  void stop();

 private:
  using Cancel = std::shared_ptr<net::asio::cancellation_signal>;
  net::asio::awaitable<void> tick();
  net::asio::awaitable<void> tell(store::WebhookId id);
  Result<void> look();

  net::Environment& environment_;
  service::Organisation& organisation_;
  Poster& poster_;
  DeliverySettings settings_;
  net::Event changed_;
  std::map<store::WebhookId, Cancel> at_work_;
  std::set<store::WebhookId> resting_;  ///< until the next tick: what stopped them is not in the store
  bool is_stopping_ = false;
  bool is_ticking_ = false;
};

}  // namespace syncline::admin
