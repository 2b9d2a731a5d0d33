// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Organisations whose mailboxes are on the test Exchange, with everything between: store, heart, driver,
// client, HTTP. Time is virtual: waiting moves the clock.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "net/authenticator.hpp"
#include "net/testing/virtual_world.hpp"
#include "tests/support/organisation_store.hpp"
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

namespace syncline::sync::testing {

inline constexpr const char* anna = "anna@example.com";
inline constexpr const char* bert = "bert@example.com";

/// A test Exchange with two mailboxes, and what their users do in Outlook.
struct ExchangeWorld {
  struct Options {
    std::string schema_folder = {};  ///< requests are validated, which costs time; empty: not
    exchange_sim::SiteLimits limits = {};
    exchange_sim::OAuth oauth = {};
  };
  ExchangeWorld() : ExchangeWorld(Options{}) {}
  explicit ExchangeWorld(Options options);

  net::testing::VirtualWorld world;
  exchange_sim::testing::SimulatedExchange exchange;

  exchange_sim::ExchangeService& service() { return exchange.service(); }
  void pass(std::chrono::milliseconds span) { world.run_for(span); }

  /// An item in a folder; its id. No mail is sent.
  std::string add(std::string_view mailbox, std::string_view folder, std::string_view xml);
  void edit(std::string_view mailbox, std::string_view id, std::string_view field, std::string_view value);
  /// A message from outside into the Inbox; its id.
  std::string deliver(std::string_view mailbox, std::string_view mime);
  /// A request of a mailbox's own user; `body_xml` with prefixes m and t. The reply's XML, which must be a
  /// success.
  std::string request(const std::string& mailbox, std::string_view body_xml);
  std::vector<exchange_sim::ItemView> list(std::string_view mailbox, std::string_view folder);
  std::string only_item(std::string_view mailbox, std::string_view folder);
  std::size_t count(std::string_view mailbox, std::string_view folder);
  std::string property(std::string_view mailbox, std::string_view id, std::string_view field);
  std::string folder_name(std::string_view mailbox, const std::string& folder_id);

  /// Mails that left, by what they were for: "invitation bert@example.com Review".
  std::map<std::string, int> mails();
  /// Requests so far that change a mailbox.
  std::size_t writes();
  /// All mailboxes but what differs from run to run: ids, keys, times of the server's own.
  std::string contents();
};

/// A message as it travels.
std::string mail_from(std::string_view from, std::string_view subject, std::string_view message_id,
                      std::string_view more_headers = {}, std::string_view body = "text\r\n");
/// The properties of an item that stand for its content: without ids, keys and the server's own times.
std::map<std::string, std::string> content_of(const exchange_sim::testing::ItemState& item);

class ExchangeOrganisation : public OrganisationStore {
 public:
  ExchangeOrganisation(ExchangeWorld& world, const std::string& address, std::uint64_t seed = 1);

  /// One run, by a process that starts with it.
  Result<MailboxSummary> run();
  /// A run that must go well.
  MailboxSummary must_run();
  /// Runs until nothing is waiting any more, with the time between that retries need.
  void settle();
  /// Two more runs: neither may write to the server, the second one not to the store either.
  void expect_quiet();
  std::string dump();
  /// An item as the driver reads it.
  RemoteItem read(model::RecordKind kind, const std::string& id);

  /// Of the credential; the mailboxes' accounts all have the test Exchange's password.
  std::string password = "secret";
  /// In place of the password, if it is set; it outlives the processes that use it.
  std::shared_ptr<net::Authenticator> authenticator;
  ews::StoreKind store_kind = ews::StoreKind::mailbox;
  std::string time_zone = "Europe/Berlin";
  /// What the runs said of their progress.
  std::vector<RunProgress> progress;

 private:
  struct Process;
  ExchangeWorld& world_;
};

}  // namespace syncline::sync::testing
