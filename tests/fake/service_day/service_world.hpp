// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation that a daemon serves, in virtual time: half of its mailboxes on one test Exchange, where a
// service account speaks for all and from where they may move to a tenant in the cloud; half on another,
// where each has a password of its own.
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
#include "service/placement/placement_watch.hpp"
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

namespace syncline::service::testing {

/// A record of a message that has been seen.
struct Arrived {
  std::string message_id;
  std::int64_t record = 0;
};

class ServiceWorld {
 public:
  /// What the profiles allow: East all its mailboxes together, West each of its own, the tenant all together.
  static constexpr unsigned eastern_connections = 4;
  static constexpr unsigned western_connections = 2;
  static constexpr unsigned tenant_connections = 4;
  /// Of a mailbox, as the servers count.
  static constexpr unsigned requests_per_minute = 120;
  static constexpr std::string_view tenant = "tenant";  ///< the name of its site

  ServiceWorld(int mailboxes_each, std::uint64_t seed = 1);
  ~ServiceWorld();
  ServiceWorld(const ServiceWorld&) = delete;
  ServiceWorld& operator=(const ServiceWorld&) = delete;

  net::testing::VirtualWorld world;
  exchange_sim::testing::SimulatedExchange east;  ///< the service account's, and the tenant
  exchange_sim::testing::SimulatedExchange west;
  std::vector<std::string> eastern;
  std::vector<std::string> western;

  Organisation& organisation() { return *organisation_; }
  Daemon& daemon() { return *daemon_; }
  MailboxEngine& engine() { return *engine_; }

  /// `look_for_all_every`: as serve --discover-every --follow-moves; zero: nobody is looked for.
  void start(DaemonSettings settings = {}, std::chrono::milliseconds look_for_all_every = {});
  /// In order; what `run` said.
  Result<void> stop();
  bool has_ended() const { return ended_.has_value(); }

  exchange_sim::testing::SimulatedExchange& exchange_of(const std::string& address) {
    return address.starts_with("e") ? east : west;
  }
  /// A message into the Inbox; its Message-ID.
  std::string deliver(const std::string& address);
  /// Message-IDs that became records since the last call, or whose records changed.
  std::vector<std::string> arrived();
  std::vector<Arrived> arrived_records();
  MailboxTurn turn(const std::string& address) const;
  std::size_t pushed() const;
  /// An administrator sets a mailbox's password.
  void set_password(const std::string& address, const std::string& password);
  /// An administrator sets the password of East's service account.
  void set_account_password(const std::string& password);
  /// The server's own: what East's service account has to say from now on.
  void change_account(const std::string& password);
  /// An eastern mailbox lives in the tenant from now on, with all in it.
  void move_to_tenant(const std::string& address);
  /// As it is configured now.
  std::string profile_of(const std::string& address);

 private:
  Result<std::unique_ptr<Connections::Network>> network(const model::Profile& profile);
  void note_secret(const std::string& object);

  std::filesystem::path folder_;
  std::unique_ptr<Organisation> organisation_;
  std::unique_ptr<MailboxEngine> engine_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<PlacementWatch> placement_;
  std::shared_ptr<PlacementStop> placement_stop_;
  bool is_placing_ = false;
  std::optional<Result<void>> ended_;
  Configuration configuration_;  ///< as it was after that act of an administrator
  std::int64_t configured_at_ = -1;
  std::int64_t seen_change_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace syncline::service::testing
