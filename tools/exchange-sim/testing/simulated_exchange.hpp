// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A test Exchange in virtual time, in the test's own process, without sockets: what was asked is counted,
// replies and requests are lost on demand, and the mailboxes lie open.
//
//   net::testing::VirtualWorld world;
//   SimulatedExchange exchange(world, {.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"});
//   … a client with exchange.url(), Basic, and exchange.password on world.environment() …
//   exchange.lose_reply("CreateItem");               // the server makes the item, the client never hears of
//   it EXPECT_EQ(exchange.requests("CreateItem"), 1u); EXPECT_EQ(exchange.items("anna@example.com",
//   "inbox").at(0).properties.at("Subject"), "hello");
//
// Cut at every octet of a reply until it comes whole:
//   for (std::uint64_t octets = 0;; ++octets) {
//     exchange.cut_reply("SyncFolderItems", octets);
//     … run the client, check …
//     if (!exchange.was_cut("SyncFolderItems")) break;
//   }
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/front/exchange_sim.hpp"

namespace exchange_sim::testing {

struct SimulatedExchangeOptions {
  std::string host = "mail.example.com";
  std::vector<std::string> addresses = {"anna@example.com", "bert@example.com"};
  SiteLimits limits = {};
  /// With applications the site takes Bearer tokens beside passwords, from its own token endpoint
  /// (token_url()).
  OAuth oauth = {};
  /// Requests that violate the schema there are refused and counted; empty: no checks.
  std::string schema_folder = {};
  /// Further sites of the same organisation, served on port 443 of their hosts: where mailboxes can move.
  std::vector<Site> others = {};
};

/// All of an item that a client could ever see.
struct ItemState {
  std::string id;
  std::string change_key;
  std::string element;  ///< "Message", "Contact", …
  /// Every property by the path of its elements: "Subject", "EmailAddresses/Entry[EmailAddress1]",
  /// "ExtendedProperty[PublicStrings/name]"; attributes by "@": "Body@BodyType". Repeated elements have their
  /// number from the second on: "Categories/String", "Categories/String[1]". ItemId's ChangeKey is not among
  /// them, so that two states are equal if nothing was changed.
  std::map<std::string, std::string> properties;
  std::map<std::string, std::string> attachments;  ///< octets by name; items as their XML, references empty
  std::string mime;                                ///< messages; else empty
  friend bool operator==(const ItemState&, const ItemState&) = default;
};

class SimulatedExchange {
 public:
  static constexpr std::string_view site = "onprem";      ///< that of `host`
  static constexpr std::string_view password = "secret";  ///< of every account
  /// Has no mailbox and may impersonate every user: what one connection for many mailboxes needs.
  static constexpr std::string_view service_account = "service@example.com";

  /// Serves https on options.host in `world`, which must outlive this. Throws nothing; a configuration that
  /// cannot be used ends the test program with a message.
  explicit SimulatedExchange(syncline::net::testing::VirtualWorld& world,
                             SimulatedExchangeOptions options = {});
  ~SimulatedExchange();
  SimulatedExchange(const SimulatedExchange&) = delete;
  SimulatedExchange& operator=(const SimulatedExchange&) = delete;

  /// "https://mail.example.com/EWS/Exchange.asmx"
  std::string url() const;
  /// "https://mail.example.com/common/oauth2/v2.0/token"
  std::string token_url() const;
  ExchangeService& service() noexcept { return service_; }
  ExchangeSim& sim() noexcept { return *sim_; }

  // Counting. Requests are counted when they have ended, answered or not, whatever a fault did to them.
  std::size_t requests(std::string_view operation) const;
  std::map<std::string, std::size_t> requests() const;
  /// Those that changed or read the mailbox: neither refused nor lost before they were handled.
  std::size_t handled(std::string_view operation) const;
  void forget_requests();
  /// What was against the schema; a test expects none.
  std::vector<std::string> schema_violations() const;

  // Faults on the next `times` requests of the operation ("*": of any). A later call replaces the earlier one
  // for the same operation; heal() takes all away.
  /// The request is handled; the connection ends after `octets` of its answer, header included.
  void cut_reply(std::string_view operation, std::uint64_t octets, std::uint64_t times = 1);
  /// The connection ends before the request is handled.
  void lose_request(std::string_view operation, std::uint64_t times = 1);
  /// The request is handled; the connection ends without any answer.
  void lose_reply(std::string_view operation, std::uint64_t times = 1);
  /// Any other fault, for this operation alone.
  void fault(std::string_view operation, FaultRule rule);
  void heal();
  /// The last request of the operation had its answer cut; false when it came whole.
  bool was_cut(std::string_view operation) const;

  // Looking. Folders as ExchangeService takes them: id, "inbox", or a path "inbox/Projects".
  std::vector<ItemState> items(std::string_view mailbox, std::string_view folder) const;
  /// All folders that hold something, by their path from the top ("Inbox/Projects").
  std::map<std::string, std::vector<ItemState>> mailbox(std::string_view address) const;

 private:
  ItemState item(std::string_view mailbox, const ItemView& view) const;

  std::string host_;
  std::string tenant_;
  syncline::SeededRandom random_{7};
  ExchangeService service_;
  std::unique_ptr<ExchangeSim> sim_;
  std::map<std::string, std::uint64_t, std::less<>> rules_;  ///< by operation
};

}  // namespace exchange_sim::testing
