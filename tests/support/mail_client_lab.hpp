// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SMTP's and POP3's clients against real servers.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "auth/token_source.hpp"
#include "net/system_environment.hpp"
#include "routing/connection/endpoint.hpp"
#include "tests/support/mail_lab.hpp"

namespace syncline::testing {

/// A token that stays as it is.
class UnchangingToken final : public auth::TokenSource {
 public:
  explicit UnchangingToken(std::string token) : token_(std::move(token)) {}
  net::Async<auth::AccessToken> token() override {
    co_return auth::AccessToken{.value = Secret(std::string_view(token_)), .generation = 1};
  }
  net::Async<auth::AccessToken> replace(std::uint64_t) override { return token(); }
  std::string pool_key() const override { return "unchanging"; }
  void credentials_changed() override {}

 private:
  std::string token_;
};

class MailClientLab : public WithMailLab {
 protected:
  void SetUp() override {
    WithMailLab::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net::SystemSettings settings;
    settings.resolve = MailLab::names();
    system_ = net::system_environment(context_.get_executor(), std::move(settings)).value();
  }

  template <class T>
  Result<T> run(net::Async<T> main) {
    std::optional<Result<T>> outcome;
    const auto capture = [&](net::Async<T> inner) -> net::asio::awaitable<void> {
      outcome.emplace(co_await std::move(inner));
      context_.stop();
    };
    net::asio::co_spawn(context_, capture(std::move(main)), net::asio::detached);
    context_.restart();
    context_.run();
    return std::move(*outcome);
  }
  net::Environment& environment() { return system_->get(); }

  mail::Endpoint endpoint(std::uint16_t port, mail::TlsMode tls, std::string host = "localhost") {
    mail::Endpoint made{.host = std::move(host), .port = port, .tls = tls};
    made.policy.ca_file = lab().ca_file();
    return made;
  }

  /// A password or, where it is empty, a token that lives for `lifetime`.
  struct Credentials {
    std::string password = MailLab::password();
    std::chrono::seconds lifetime = std::chrono::hours(1);
    std::vector<std::string> mechanisms = {};
    bool clear_text = false;
  };
  Result<std::unique_ptr<auth::SaslExchange>> choose(const auth::SaslOffer& offer, const std::string& user,
                                                     const Credentials& with) {
    auth::SaslIdentity identity;
    identity.user = user;
    if (with.password.empty())
      identity.token = std::make_shared<UnchangingToken>(lab().token("alice", with.lifetime).value());
    else
      identity.password = Secret(std::string_view(with.password));
    auth::SaslPolicy policy;
    policy.allowed = with.mechanisms;
    policy.clear_text_without_tls = with.clear_text;
    return auth::choose_sasl(offer, identity, policy, pool_);
  }

  static std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  net::asio::io_context context_{1};
  std::unique_ptr<net::SystemEnvironment> system_;
  std::shared_ptr<auth::BlockingPool> pool_ = std::make_shared<auth::BlockingPool>(2);
};

}  // namespace syncline::testing
