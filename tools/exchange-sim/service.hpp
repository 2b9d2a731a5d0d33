// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The border inside the test Exchange: the front (HTTP, authentication, sites, faults, throttling, log) on
// one side, the mailboxes and their operations on the other. The service knows no sockets; the front knows no
// items.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace exchange_sim {

/// Who asks, after the front has authenticated the caller and judged ExchangeImpersonation.
struct Caller {
  std::string site;               ///< name of the site that was asked
  std::string authenticated_as;   ///< SMTP address of the account, lower case
  std::string mailbox;            ///< whose mailbox is acted on: the impersonated one, else authenticated_as
  std::string requested_version;  ///< RequestServerVersion, "Exchange2013_SP1"; empty if absent
};

/// The answer to one request: what goes into soap:Body, or a fault.
struct Reply {
  int http_status = 200;  ///< 500 for a fault
  std::string body_xml;   ///< the Body's child, with its own namespace declarations
};

/// One event of a subscription, as an element of t:Notification without the watermark (the front numbers
/// them).
struct Notification {
  std::string subscription_id;
  std::string event_xml;  ///< "<t:NewMailEvent>…</t:NewMailEvent>"
};

/// Why a subscription cannot be streamed: it is another account's, or there is none (any more).
struct UnusableSubscription {
  std::string id;
  bool is_denied = false;
};

/// The mailboxes of all sites and the EWS operations on them.
class Service {
 public:
  virtual ~Service() = default;
  /// `soap_xml` is the whole envelope, as it came. Everything but GetStreamingEvents, which is the front's.
  virtual Reply handle(const Caller& caller, std::string_view soap_xml) = 0;

  /// Streaming: the ids that `caller` may not stream (unknown, expired, not for streaming, another
  /// account's).
  virtual std::vector<UnusableSubscription> unusable_subscriptions(const Caller& caller,
                                                                   const std::vector<std::string>& ids) = 0;
  /// Takes the events collected for these subscriptions since the last call.
  virtual std::vector<Notification> drain(const std::vector<std::string>& ids) = 0;
  /// Called (synchronously, from handle()) whenever a streaming subscription has something to drain.
  virtual void on_event(std::function<void(const std::string& subscription_id)> callback) = 0;
};

}  // namespace exchange_sim
