// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A test Exchange with two mailboxes, and clients of it, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "auth/basic.hpp"
#include "ews/client/ews_client.hpp"
#include "net/testing/virtual_world.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/front/exchange_sim.hpp"

namespace syncline::ews::testing {

constexpr const char* host = "mail.example.com";
constexpr const char* anna = "anna@example.com";
constexpr const char* bert = "bert@example.com";

class ExchangeFixture : public ::testing::Test {
 protected:
  explicit ExchangeFixture(exchange_sim::SiteLimits limits = {}) {
    exchange_sim::Site site{.name = "onprem", .hosts = {host}, .domains = {"example.com"}, .limits = limits};
    for (const char* address : {anna, bert})
      site.users.push_back({.address = address, .password = Secret{std::string_view("secret")}});
    exchange_sim::Config config;
    config.sites.push_back(std::move(site));
    config.schema_folder = std::string(SYNCLINE_SOURCE_DIR) + "/wsdl";
    config = exchange_sim::completed(std::move(config)).value();
    sim_ = exchange_sim::ExchangeSim::create(world_.environment(), std::move(config), service_).value();
    for (const char* address : {anna, bert})
      EXPECT_TRUE(service_.add_mailbox({.address = address, .display_name = address, .site = "onprem"}));
    world_.serve_http(host, 443, sim_->handler("onprem"));
  }

  void TearDown() override { EXPECT_THAT(sim_->log().schema_violations(), ::testing::IsEmpty()); }

  ClientSettings settings_of(const std::string& address) {
    ClientSettings settings;
    settings.url = net::parse_url(std::string("https://") + host + "/EWS/Exchange.asmx").value();
    settings.authenticator =
        auth::make_basic({.user = address, .password = Secret{std::string_view("secret")}}).value();
    return settings;
  }
  EwsClient make_client(const std::string& address, std::shared_ptr<CredentialBudgets> budgets = nullptr) {
    if (!budgets) budgets = std::make_shared<CredentialBudgets>(world_.environment());
    return {world_.environment(), *http_, std::move(budgets), settings_of(address)};
  }

  template <class T>
  Result<T> run(net::Async<T> work) {
    return world_.run(std::move(work));
  }

  net::testing::VirtualWorld world_;
  SeededRandom service_random_{7};
  exchange_sim::ExchangeService service_{world_.environment().clock, service_random_};
  std::unique_ptr<exchange_sim::ExchangeSim> sim_;
  std::unique_ptr<net::HttpClient> http_ = net::make_http_client(world_.environment()).value();
  EwsClient client_ = make_client(anna);
};

}  // namespace syncline::ews::testing
