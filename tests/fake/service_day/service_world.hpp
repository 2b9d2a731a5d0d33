// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation that a daemon serves, in virtual time: half of its mailboxes on one test Exchange, where a
// service account speaks for all, half on another, where each has a password of its own.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "service/daemon/daemon.hpp"
#include "service/engine/mailbox_engine.hpp"
#include "service/organisation/organisation.hpp"
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

namespace syncline::service::testing {

class ServiceWorld {
 public:
  ServiceWorld(int mailboxes_each, std::uint64_t seed = 1);
  ~ServiceWorld();
  ServiceWorld(const ServiceWorld&) = delete;
  ServiceWorld& operator=(const ServiceWorld&) = delete;

  net::testing::VirtualWorld world;
  exchange_sim::testing::SimulatedExchange east;  ///< the service account's
  exchange_sim::testing::SimulatedExchange west;
  std::vector<std::string> eastern;
  std::vector<std::string> western;

  Organisation& organisation() { return *organisation_; }
  Daemon& daemon() { return *daemon_; }
  MailboxEngine& engine() { return *engine_; }

  void start(DaemonSettings settings = {});
  /// In order; what `run` said.
  Result<void> stop();
  bool has_ended() const { return ended_.has_value(); }

  exchange_sim::testing::SimulatedExchange& exchange_of(const std::string& address) {
    return address.starts_with("e") ? east : west;
  }
  /// A message into the Inbox; its Message-ID.
  std::string deliver(const std::string& address);
  /// Message-IDs that became records since the last call, with the time when they were seen here.
  std::vector<std::string> arrived();
  MailboxTurn turn(const std::string& address) const;
  std::size_t pushed() const;
  /// An administrator sets a mailbox's password.
  void set_password(const std::string& address, const std::string& password);

 private:
  Result<std::unique_ptr<Connections::Network>> network();

  std::filesystem::path folder_;
  std::unique_ptr<Organisation> organisation_;
  std::unique_ptr<MailboxEngine> engine_;
  std::unique_ptr<Daemon> daemon_;
  std::optional<Result<void>> ended_;
  std::int64_t seen_change_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace syncline::service::testing
