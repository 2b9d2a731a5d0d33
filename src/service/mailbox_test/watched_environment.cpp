// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/mailbox_test/watched_environment.hpp"

#include <map>
#include <utility>

namespace syncline::service {

using Stage = ConnectionEvent::Stage;
using State = ConnectionEvent::State;

/// One event, from its beginning to its end; the list may have been cleared in between.
class EventNote {
 public:
  EventNote(ConnectionWatch& watch, Stage stage, std::string host, std::string detail)
      : watch_(watch), event_{.stage = stage, .host = std::move(host), .detail = std::move(detail)} {
    // A server that makes us connect without an end is seen by its first hundreds.
    if (watch_.events_.size() < most_events) watch_.events_.push_back(event_);
  }
  void end(const Error* error, std::string detail = {}) {
    for (std::size_t i = watch_.events_.size(); i-- > 0;) {
      ConnectionEvent& one = watch_.events_[i];
      if (one.stage != event_.stage || one.host != event_.host || one.state != State::begun) continue;
      one.state = error == nullptr ? State::done : State::failed;
      if (error != nullptr) one.error = *error;
      if (!detail.empty()) one.detail = std::move(detail);
      return;
    }
  }

 private:
  static constexpr std::size_t most_events = 500;
  ConnectionWatch& watch_;
  ConnectionEvent event_;
};

namespace {

class WatchedResolver final : public net::Resolver {
 public:
  WatchedResolver(net::Resolver& inner, std::shared_ptr<ConnectionWatch> watch)
      : inner_(inner), watch_(std::move(watch)) {}

  net::Async<std::vector<std::string>> addresses(std::string host) override {
    EventNote note(*watch_, Stage::resolve, host, {});
    std::string asked = host;
    auto found = co_await inner_.addresses(std::move(asked));
    std::string detail;
    if (found)
      for (const std::string& address : *found) {
        detail += (detail.empty() ? "" : ", ") + address;
        host_of_address_[address] = host;
      }
    note.end(found ? nullptr : &found.error(), std::move(detail));
    co_return found;
  }
  net::Async<std::vector<net::SrvRecord>> srv(std::string name) override {
    return inner_.srv(std::move(name));
  }
  net::Async<std::vector<std::string>> mx(std::string domain) override {
    return inner_.mx(std::move(domain));
  }

  /// Under which name an address was found last.
  std::string host_of(const std::string& address) const {
    const auto found = host_of_address_.find(address);
    return found == host_of_address_.end() ? address : found->second;
  }

 private:
  net::Resolver& inner_;
  std::shared_ptr<ConnectionWatch> watch_;
  std::map<std::string, std::string> host_of_address_;
};

class WatchedConnector final : public net::Connector {
 public:
  WatchedConnector(net::Connector& inner, const WatchedResolver& resolver,
                   std::shared_ptr<ConnectionWatch> watch)
      : inner_(inner), resolver_(resolver), watch_(std::move(watch)) {}

  net::Async<net::StreamPtr> connect(std::string address, std::uint16_t port) override {
    EventNote note(*watch_, Stage::connect, resolver_.host_of(address),
                   address + " port " + std::to_string(port));
    auto stream = co_await inner_.connect(std::move(address), port);
    note.end(stream ? nullptr : &stream.error());
    co_return stream;
  }
  net::Async<net::StreamPtr> start_tls(net::StreamPtr clear, std::string host,
                                       const net::TlsPolicy& policy) override {
    EventNote note(*watch_, Stage::tls, host, {});
    auto stream = co_await inner_.start_tls(std::move(clear), std::move(host), policy);
    note.end(stream ? nullptr : &stream.error());
    co_return stream;
  }

 private:
  net::Connector& inner_;
  const WatchedResolver& resolver_;
  std::shared_ptr<ConnectionWatch> watch_;
};

}  // namespace

class WatchedEnvironment final : public net::SystemEnvironment {
 public:
  WatchedEnvironment(std::unique_ptr<net::SystemEnvironment> inner, std::shared_ptr<ConnectionWatch> watch)
      : inner_(std::move(inner)),
        resolver_(inner_->get().resolver, watch),
        connector_(inner_->get().connector, resolver_, std::move(watch)),
        environment_{.executor = inner_->get().executor,
                     .clock = inner_->get().clock,
                     .timers = inner_->get().timers,
                     .random = inner_->get().random,
                     .resolver = resolver_,
                     .connector = connector_} {}
  net::Environment& get() noexcept override { return environment_; }

 private:
  std::unique_ptr<net::SystemEnvironment> inner_;
  WatchedResolver resolver_;
  WatchedConnector connector_;
  net::Environment environment_;
};

const ConnectionEvent* ConnectionWatch::done(Stage stage, const std::string& host) const noexcept {
  for (std::size_t i = events_.size(); i-- > 0;)
    if (events_[i].stage == stage && events_[i].state == State::done && events_[i].host == host)
      return &events_[i];
  return nullptr;
}

const ConnectionEvent* ConnectionWatch::broken() const noexcept {
  if (events_.empty() || events_.back().state == State::done) return nullptr;
  return &events_.back();
}

std::unique_ptr<net::SystemEnvironment> watched_environment(std::unique_ptr<net::SystemEnvironment> inner,
                                                            std::shared_ptr<ConnectionWatch> watch) {
  return std::make_unique<WatchedEnvironment>(std::move(inner), std::move(watch));
}

}  // namespace syncline::service
