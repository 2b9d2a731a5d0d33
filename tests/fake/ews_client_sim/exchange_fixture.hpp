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
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

namespace syncline::ews::testing {

constexpr const char* host = "mail.example.com";
constexpr const char* anna = "anna@example.com";
constexpr const char* bert = "bert@example.com";

class ExchangeFixture : public ::testing::Test {
 protected:
  explicit ExchangeFixture(exchange_sim::SiteLimits limits = {})
      : exchange_(world_, {.host = host,
                           .addresses = {anna, bert},
                           .limits = limits,
                           .schema_folder = std::string(SYNCLINE_SOURCE_DIR) + "/wsdl"}) {}

  void TearDown() override { EXPECT_THAT(sim_->log().schema_violations(), ::testing::IsEmpty()); }

  ClientSettings settings_of(const std::string& address) {
    ClientSettings settings;
    settings.url = net::parse_url(exchange_.url()).value();
    settings.authenticator =
        auth::make_basic({.user = address, .password = Secret{exchange_.password}}).value();
    return settings;
  }
  EwsClient make_client(const std::string& address, std::shared_ptr<CredentialBudgets> budgets = nullptr) {
    if (!budgets) budgets = std::make_shared<CredentialBudgets>(world_.environment());
    return {world_.environment(), *http_, std::move(budgets), settings_of(address)};
  }
  /// Signs in as the service account and impersonates `address`.
  EwsClient make_service_client(const std::string& address, std::shared_ptr<CredentialBudgets> budgets) {
    ClientSettings settings = settings_of(std::string(exchange_.service_account));
    settings.identity = {.impersonated_address = address, .anchor_mailbox = address};
    return {world_.environment(), *http_, std::move(budgets), std::move(settings)};
  }

  template <class T>
  Result<T> run(net::Async<T> work) {
    return world_.run(std::move(work));
  }

  net::testing::VirtualWorld world_;
  exchange_sim::testing::SimulatedExchange exchange_;
  exchange_sim::ExchangeService& service_ = exchange_.service();
  exchange_sim::ExchangeSim* sim_ = &exchange_.sim();
  std::unique_ptr<net::HttpClient> http_ = net::make_http_client(world_.environment()).value();
  EwsClient client_ = make_client(anna);
};

}  // namespace syncline::ews::testing
