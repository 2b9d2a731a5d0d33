// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/streaming.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "net/watchdog.hpp"
#include "tools/exchange-sim/front/soap.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

namespace {

std::string id_list(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) out += "<t:SubscriptionId>" + xml_escape(id) + "</t:SubscriptionId>";
  return out;
}

std::string message(std::string_view response_class, std::string_view code, std::string_view text,
                    std::string_view content) {
  return fmt::format(
      "<m:GetStreamingEventsResponse xmlns:m=\"{}\" xmlns:t=\"{}\"><m:ResponseMessages>"
      "<m:GetStreamingEventsResponseMessage ResponseClass=\"{}\">{}<m:ResponseCode>{}</m:ResponseCode>{}"
      "</m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse>",
      messages_namespace, types_namespace, response_class,
      text.empty() ? std::string() : "<m:MessageText>" + xml_escape(text) + "</m:MessageText>", code,
      content);
}

std::string status_message(std::string_view status) {
  return message("Success", "NoError", {},
                 fmt::format("<m:ConnectionStatus>{}</m:ConnectionStatus>", status));
}

std::string error_message(const std::string& code, const std::vector<std::string>& ids) {
  return message("Error", code, message_of_code(code),
                 "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey><m:ErrorSubscriptionIds>" + id_list(ids) +
                     "</m:ErrorSubscriptionIds>");
}

std::string events_message(const std::vector<Notification>& notifications) {
  // Events of one subscription stand in one Notification, in their order.
  std::vector<std::pair<std::string, std::string>> by_subscription;
  for (const auto& notification : notifications) {
    auto found = std::find_if(by_subscription.begin(), by_subscription.end(),
                              [&](const auto& one) { return one.first == notification.subscription_id; });
    if (found == by_subscription.end()) {
      found = by_subscription.insert(by_subscription.end(), {notification.subscription_id, {}});
    }
    found->second += notification.event_xml;
  }
  std::string content = "<m:Notifications>";
  for (const auto& [id, events] : by_subscription) {
    content += "<m:Notification><t:SubscriptionId>" + xml_escape(id) + "</t:SubscriptionId>" + events +
               "</m:Notification>";
  }
  return message("Success", "NoError", {}, content + "</m:Notifications>");
}

}  // namespace

struct StreamHub::Stream {
  Stream(StreamHub& hub, std::vector<std::string> ids)
      : hub(hub),
        ids(std::move(ids)),
        changed(hub.environment_.executor),
        position(hub.streams_.insert(hub.streams_.end(), this)) {}
  ~Stream() { hub.streams_.erase(position); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  StreamHub& hub;
  std::vector<std::string> ids;
  net::Event changed;
  bool has_news = false;
  std::list<Stream*>::iterator position;
};

StreamHub::StreamHub(net::Environment& environment, Service& service)
    : environment_(environment), service_(service), self_(std::make_shared<StreamHub*>(this)) {
  service_.on_event([weak = std::weak_ptr<StreamHub*>(self_)](const std::string& id) {
    if (const auto hub = weak.lock()) (*hub)->on_event(id);
  });
}

StreamHub::~StreamHub() = default;

void StreamHub::on_event(const std::string& subscription_id) {
  for (Stream* stream : streams_) {
    if (std::find(stream->ids.begin(), stream->ids.end(), subscription_id) == stream->ids.end()) continue;
    stream->has_news = true;
    stream->changed.notify_all();
  }
}

void StreamHub::wake_all() {
  for (Stream* stream : streams_) {
    stream->has_news = true;
    stream->changed.notify_all();
  }
}

net::asio::awaitable<void> StreamHub::run(const SiteState& state, Request request, net::Headers headers,
                                          net::Responder& responder, Outcome& outcome) {
  Stream stream(*this, request.ids);
  const auto ends = environment_.clock.steady_now() + request.timeout;
  auto next_heartbeat = environment_.clock.steady_now() + state.site.limits.heartbeat;

  // Waits for news or until `deadline`; false: cancelled, the client has gone.
  const auto wait_until = [&](syncline::SteadyTime deadline) -> net::asio::awaitable<bool> {
    if (stream.has_news) co_return true;
    net::Watchdog watchdog(environment_, [&stream] { stream.changed.notify_all(); });
    watchdog.arm(deadline);
    const auto woken = co_await stream.changed.wait();
    co_return woken.has_value();
  };
  const auto send = [&](std::string body) -> net::asio::awaitable<bool> {
    std::string envelope = soap_envelope(state.site, body);
    if (request.rewrite) envelope = request.rewrite(std::move(envelope));
    outcome.octets += envelope.size();
    ++outcome.envelopes;
    const auto sent = co_await responder.write(envelope);
    next_heartbeat = environment_.clock.steady_now() + state.site.limits.heartbeat;
    if (!sent) co_return false;
    if (request.close_after > 0 && outcome.envelopes >= request.close_after) {
      responder.abort();
      co_return false;
    }
    co_return true;
  };

  headers.set("Content-Type", "text/xml; charset=utf-8");
  const auto begun = co_await responder.begin(200, std::move(headers));
  if (!begun) co_return;
  const std::string denied = "ErrorSubscriptionAccessDenied";
  const std::array<std::pair<const std::string*, const std::vector<std::string>*>, 2> refusals{
      {{&request.refusal_code, &request.refused_ids}, {&denied, &request.denied_ids}}};
  for (const auto& [code, ids] : refusals) {
    if (ids->empty()) continue;
    outcome.codes.push_back(*code);
    std::string body = error_message(*code, *ids);
    const bool sent = co_await send(std::move(body));
    if (!sent) co_return;
  }
  if (stream.ids.empty()) {
    const bool sent = co_await send(status_message("Closed"));
    if (sent) static_cast<void>(co_await responder.finish());
    co_return;
  }
  {
    const bool sent = co_await send(status_message("OK"));
    if (!sent) co_return;
  }
  stream.has_news = true;  // what happened between Subscribe and now

  while (true) {
    if (request.dead) {
      // A black hole: the connection stays as long as the client lets it.
      const bool alive = co_await wait_until(syncline::SteadyTime::max());
      stream.has_news = false;
      if (!alive) co_return;
      continue;
    }
    const bool alive = co_await wait_until(std::min(ends, next_heartbeat));
    if (!alive) co_return;
    const bool woken_by_news = std::exchange(stream.has_news, false);

    for (const auto& rule : request.rules()) {
      switch (rule.action) {
        case Action::dead_stream:
          request.dead = true;
          break;
        case Action::lose_events:
          request.lose_events = true;
          break;
        case Action::close_stream:
        case Action::abort_before:
        case Action::abort_after:
          responder.abort();
          co_return;
        case Action::error_subscription: {
          const std::string code = rule.code.empty() ? "ErrorInvalidSubscription" : rule.code;
          outcome.codes.push_back(code);
          const bool sent = co_await send(error_message(code, stream.ids));
          if (!sent) co_return;
          stream.ids.clear();
          break;
        }
        case Action::delay: {
          const auto until = environment_.clock.steady_now() + rule.wait;
          const auto slept = co_await environment_.timers.sleep_until(until);
          if (!slept) co_return;
          break;
        }
        default:
          break;
      }
    }
    if (request.dead) continue;

    if (!stream.ids.empty()) {
      std::vector<std::string> lost;
      for (auto& unusable : service_.unusable_subscriptions(request.caller, stream.ids))
        lost.push_back(std::move(unusable.id));
      if (!lost.empty()) {
        std::erase_if(stream.ids, [&](const std::string& id) {
          return std::find(lost.begin(), lost.end(), id) != lost.end();
        });
        outcome.codes.emplace_back("ErrorSubscriptionNotFound");
        const bool sent = co_await send(error_message("ErrorSubscriptionNotFound", lost));
        if (!sent) co_return;
      }
    }
    if (woken_by_news && !stream.ids.empty()) {
      const auto notifications = service_.drain(stream.ids);
      if (!notifications.empty() && !request.lose_events) {
        const bool sent = co_await send(events_message(notifications));
        if (!sent) co_return;
      }
    }
    const auto now = environment_.clock.steady_now();
    if (stream.ids.empty() || now >= ends) {
      const bool sent = co_await send(status_message("Closed"));
      if (sent) static_cast<void>(co_await responder.finish());
      co_return;
    }
    if (now >= next_heartbeat) {
      const bool sent = co_await send(status_message("OK"));
      if (!sent) co_return;
    }
  }
}

}  // namespace exchange_sim
