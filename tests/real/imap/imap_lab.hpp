// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Our IMAP client against a real server.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "auth/blocking_pool.hpp"
#include "auth/token_source.hpp"
#include "net/system_environment.hpp"
#include "routing/imap/connect.hpp"
#include "tests/real/imap/imap_server.hpp"
#include "tests/support/mail_lab.hpp"

namespace syncline::imap::testing {

using syncline::testing::MailLab;

/// A token that stays as it is.
class FixedToken final : public auth::TokenSource {
 public:
  explicit FixedToken(std::string token) : token_(std::move(token)) {}
  net::Async<auth::AccessToken> token() override {
    co_return auth::AccessToken{.value = Secret(std::string_view(token_)), .generation = 1};
  }
  net::Async<auth::AccessToken> replace(std::uint64_t) override { return token(); }
  std::string pool_key() const override { return "fixed"; }
  void credentials_changed() override {}

 private:
  std::string token_;
};

/// One server for a suite; every test says SKIPPED where it is not installed.
class ImapLab : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = start_imap_server();
    if (started)
      server_ = std::move(*started);
    else if (started.error().code == "missing")
      missing_ = started.error().message;
    else
      FAIL() << started.error().describe();
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!missing_.empty()) GTEST_SKIP() << missing_;
    ASSERT_NE(server_, nullptr) << "the server did not start";
    net::SystemSettings settings;
    settings.resolve = MailLab::names();
    system_ = net::system_environment(context_.get_executor(), std::move(settings)).value();
  }
  static ImapServer& server() { return *server_; }

  template <class T>
  Result<T> run(Async<T> main) {
    std::optional<Result<T>> outcome;
    const auto capture = [&](Async<T> inner) -> net::asio::awaitable<void> {
      outcome.emplace(co_await std::move(inner));
      context_.stop();
    };
    net::asio::co_spawn(context_, capture(std::move(main)), net::asio::detached);
    context_.restart();
    context_.run();
    return std::move(*outcome);
  }

  mail::Endpoint endpoint(mail::TlsMode tls = mail::TlsMode::implicit, std::string host = "localhost") {
    mail::Endpoint made;
    made.host = std::move(host);
    made.port = tls == mail::TlsMode::implicit ? server().ports().implicit : server().ports().starttls;
    made.tls = tls;
    made.policy.ca_file = server().ca_file();
    return made;
  }
  ConnectSettings settings(std::string_view user = "alice", std::string password = MailLab::password()) {
    ConnectSettings made;
    made.sign_in.identity.user = MailLab::address(user);
    made.sign_in.identity.password = Secret(std::move(password));
    made.sign_in.blocking = pool_;
    return made;
  }
  Result<std::unique_ptr<Client>> connect(const mail::Endpoint& where, const ConnectSettings& how) {
    return run(imap::connect(system_->get(), where, how));
  }
  std::unique_ptr<Client> connected(std::string_view user = "alice") {
    auto client = connect(endpoint(), settings(user));
    EXPECT_TRUE(client) << client.error().describe();
    return client ? std::move(*client) : nullptr;
  }

  net::asio::io_context context_{1};
  std::unique_ptr<net::SystemEnvironment> system_;
  std::shared_ptr<auth::BlockingPool> pool_ = std::make_shared<auth::BlockingPool>(2);

 private:
  static inline std::unique_ptr<ImapServer> server_;
  static inline std::string missing_;
};

/// The octets as they come, by UID.
class Bodies final : public ReplyHandler {
 public:
  Result<void> on_literal_start(const StreamedLiteral&) override {
    body_.clear();
    return {};
  }
  Result<void> on_literal_data(std::string_view data) override {
    body_ += data;
    return {};
  }
  Result<void> on_reply(Reply& reply) override {
    if (auto* fetch = std::get_if<FetchReply>(&reply)) {
      if (!fetch->sections.empty())
        bodies[fetch->uid] = fetch->sections[0].streamed ? body_ : fetch->sections[0].value.value_or("");
      replies.push_back(std::move(*fetch));
    }
    return {};
  }
  std::map<Uid, std::string> bodies;
  std::vector<FetchReply> replies;

 private:
  std::string body_;
};

}  // namespace syncline::imap::testing
