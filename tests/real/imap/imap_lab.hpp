// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Our IMAP client against a real server.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/imap/connect.hpp"
#include "tests/real/imap/imap_server.hpp"
#include "tests/support/mail_lab.hpp"
#include "tests/support/real_network.hpp"

namespace syncline::imap::testing {

using syncline::testing::MailLab;

/// One server for a suite; every test says SKIPPED where it is not installed.
class ImapLab : public ::testing::Test, protected syncline::testing::RealNetwork {
 protected:
  ImapLab() : RealNetwork(MailLab::names()) {}
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
  }
  static ImapServer& server() { return *server_; }

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
