// SPDX-License-Identifier: GPL-3.0-or-later
// Every mechanism that Dovecot and Postfix know, over IMAP and SMTP spoken by hand.
#include "auth/bearer.hpp"
#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "net/system_environment.hpp"
#include "tests/support/mail_lab.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::auth {
namespace {

using testing::MailLab;
using testing::run;

/// Lines over a stream, as IMAP and SMTP have them.
class Lines {
 public:
  explicit Lines(net::StreamPtr stream) : stream_(std::move(stream)) {}

  net::Async<std::string> read() {
    for (;;) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        co_return line;
      }
      std::byte piece[4096];
      auto count = co_await stream_->read_some(piece);
      if (!count) co_return fail(std::move(count).error());
      if (*count == 0) co_return fail(ErrorDomain::net, "ended", "the server ended the connection");
      buffer_.append(reinterpret_cast<const char*>(piece), *count);
    }
  }
  net::Async<void> write(std::string line) {
    line += "\r\n";
    auto written = co_await stream_->write_all(std::as_bytes(std::span(line)));
    co_return written;
  }
  net::Stream& stream() { return *stream_; }

 private:
  net::StreamPtr stream_;
  std::string buffer_;
};

/// What came of one exchange.
struct Outcome {
  bool success = false;
  std::string mechanism;
  std::string server_error;
  Result<void> finished;
  std::optional<Error> refusal;
};

class SaslServers : public testing::WithMailLab {
 protected:
  void SetUp() override {
    WithMailLab::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net::SystemSettings settings;
    settings.resolve = MailLab::names();
    auto made = net::system_environment(context.get_executor(), std::move(settings));
    ASSERT_TRUE(made);
    system = std::move(*made);
  }

  net::Async<std::unique_ptr<Lines>> connect(std::uint16_t port, bool tls) {
    const std::string host = "mail.lab.test";
    auto stream = co_await system->get().connector.connect("127.0.0.1", port);
    if (!stream) co_return fail(std::move(stream).error());
    if (tls) {
      const net::TlsPolicy policy{.ca_file = lab().ca_file()};
      stream = co_await system->get().connector.start_tls(std::move(*stream), host, policy);
      if (!stream) co_return fail(std::move(stream).error());
    }
    co_return std::make_unique<Lines>(std::move(*stream));
  }

  SaslOffer offer(Lines& lines, std::string service, std::uint16_t port) {
    return {.mechanisms = {},
            .is_tls = lines.stream().is_tls(),
            .tls_server_end_point = lines.stream().tls_server_end_point(),
            .tls_exporter = lines.stream().tls_exporter(),
            .service = std::move(service),
            .host = "mail.lab.test",
            .port = port};
  }

  /// AUTHENTICATE of RFC 9051 section 6.2.2, with an initial response where `early`.
  net::Async<Outcome> over_imap(SaslIdentity identity, SaslPolicy policy, bool tls, bool early) {
    const std::uint16_t port = tls ? lab().ports().imaps : lab().ports().imap;
    auto connected = co_await connect(port, tls);
    if (!connected) co_return fail(std::move(connected).error());
    Lines& lines = **connected;
    auto greeting = co_await lines.read();
    if (!greeting) co_return fail(std::move(greeting).error());
    SaslOffer offered = offer(lines, "imap", port);
    co_await lines.write("c CAPABILITY");
    auto capabilities = co_await lines.read();
    if (!capabilities) co_return fail(std::move(capabilities).error());
    auto done = co_await lines.read();
    for (const std::string_view word : text::split(*capabilities, ' '))
      if (word.starts_with("AUTH=")) offered.mechanisms.emplace_back(word.substr(5));
    auto exchange = choose_sasl(offered, identity, policy, pool);
    if (!exchange) co_return fail(std::move(exchange).error());
    std::string command = "a AUTHENTICATE " + std::string((*exchange)->mechanism());
    if (early && (*exchange)->client_first()) {
      auto first = co_await (*exchange)->respond("");
      if (!first) co_return fail(std::move(first).error());
      command += " " + base64_encode(first->reveal());
    }
    co_await lines.write(command);
    co_return co_await converse(lines, **exchange, "+ ", "a OK", "a ");
  }

  /// AUTH of RFC 4954.
  net::Async<Outcome> over_smtp(SaslIdentity identity, SaslPolicy policy) {
    const std::uint16_t port = lab().ports().smtps;
    auto connected = co_await connect(port, true);
    if (!connected) co_return fail(std::move(connected).error());
    Lines& lines = **connected;
    auto greeting = co_await lines.read();
    if (!greeting) co_return fail(std::move(greeting).error());
    SaslOffer offered = offer(lines, "smtp", port);
    co_await lines.write("EHLO client.lab.test");
    for (bool more = true; more;) {
      auto line = co_await lines.read();
      if (!line) co_return fail(std::move(line).error());
      more = line->size() > 3 && (*line)[3] == '-';
      if (line->size() > 9 && line->substr(4, 5) == "AUTH ")
        for (const std::string_view word : text::split(std::string_view(*line).substr(9), ' '))
          offered.mechanisms.emplace_back(word);
    }
    auto exchange = choose_sasl(offered, identity, policy, pool);
    if (!exchange) co_return fail(std::move(exchange).error());
    co_await lines.write("AUTH " + std::string((*exchange)->mechanism()));
    co_return co_await converse(lines, **exchange, "334 ", "235", "");
  }

  static net::Async<Outcome> converse(Lines& lines, SaslExchange& exchange, std::string prompt,
                                      std::string good, std::string tag) {
    Outcome outcome;
    outcome.mechanism = exchange.mechanism();
    for (;;) {
      auto line = co_await lines.read();
      if (!line) co_return fail(std::move(line).error());
      if (line->starts_with(prompt) || *line == "+") {
        auto challenge = base64_decode(std::string_view(*line).substr(std::min(prompt.size(), line->size())));
        if (!challenge) co_return fail(std::move(challenge).error());
        auto answer = co_await exchange.respond(std::move(*challenge));
        std::string reply = answer ? base64_encode(answer->reveal()) : "*";
        if (!answer) outcome.refusal = std::move(answer).error();
        co_await lines.write(std::move(reply));
        continue;
      }
      if (line->starts_with(good)) {
        outcome.success = true;
        outcome.finished = exchange.finished();
        co_return outcome;
      }
      if (!tag.empty() && !line->starts_with(tag)) continue;  // untagged
      outcome.server_error = exchange.server_error();
      if (!outcome.refusal) outcome.refusal = sasl_refusal(exchange, *line);
      co_return outcome;
    }
  }

  static SaslIdentity password_of(std::string_view user, std::string_view password) {
    return {.user = MailLab::address(user), .password = Secret(password)};
  }
  SaslIdentity token_of(std::string_view user, std::chrono::seconds lifetime) {
    auto token = lab().token(user, lifetime);
    EXPECT_TRUE(token);
    return {.user = MailLab::address(user), .token = fixed_token(Secret(std::move(*token))).value()};
  }

  net::asio::io_context context;
  std::unique_ptr<net::SystemEnvironment> system;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(2);
};

constexpr const char* password_mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
constexpr const char* token_mechanisms[] = {"XOAUTH2", "OAUTHBEARER"};

TEST_F(SaslServers, DovecotTakesEveryMechanismOverTlsWithAndWithoutAnInitialResponse) {
  for (const bool early : {true, false}) {
    for (const char* name : password_mechanisms) {
      auto outcome = run(
          context, over_imap(password_of("alice", MailLab::password()), {.allowed = {name}}, true, early));
      ASSERT_TRUE(outcome) << name << outcome.error().describe();
      EXPECT_TRUE(outcome->success) << name << (outcome->refusal ? outcome->refusal->describe() : "");
      EXPECT_TRUE(outcome->finished) << name;
      EXPECT_EQ(outcome->mechanism, name);
    }
    for (const char* name : token_mechanisms) {
      auto outcome =
          run(context, over_imap(token_of("alice", std::chrono::hours(1)), {.allowed = {name}}, true, early));
      ASSERT_TRUE(outcome) << name << outcome.error().describe();
      EXPECT_TRUE(outcome->success) << name << (outcome->refusal ? outcome->refusal->describe() : "");
    }
  }
}

TEST_F(SaslServers, LeftToItselfTheStrongestIsTaken) {
  auto outcome = run(context, over_imap(password_of("alice", MailLab::password()), {}, true, true));
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_TRUE(outcome->success);
  EXPECT_EQ(outcome->mechanism, "SCRAM-SHA-256");
}

TEST_F(SaslServers, DovecotRefusesAWrongPasswordInEveryMechanism) {
  for (const char* name : password_mechanisms) {
    auto outcome =
        run(context, over_imap(password_of("alice", "wrong donkey"), {.allowed = {name}}, true, true));
    ASSERT_TRUE(outcome) << name << outcome.error().describe();
    EXPECT_FALSE(outcome->success) << name;
    ASSERT_TRUE(outcome->refusal) << name;
    EXPECT_EQ(outcome->refusal->code, "credentials-refused") << name << outcome->refusal->describe();
    EXPECT_EQ(outcome->refusal->retry, RetryClass::reauthenticate) << name;
    EXPECT_EQ(outcome->refusal->describe().find("donkey"), std::string::npos) << name;
  }
}

TEST_F(SaslServers, AnExpiredTokenIsRefusedAfterTheErrorChallenge) {
  for (const char* name : token_mechanisms) {
    for (const bool early : {true, false}) {
      auto outcome = run(
          context, over_imap(token_of("alice", std::chrono::seconds(-60)), {.allowed = {name}}, true, early));
      ASSERT_TRUE(outcome) << name << outcome.error().describe();
      EXPECT_FALSE(outcome->success) << name;
      ASSERT_TRUE(outcome->refusal) << name;
      EXPECT_EQ(outcome->refusal->code, "token-refused") << name << outcome->refusal->describe();
      EXPECT_NE(outcome->server_error, "") << name << ": the error challenge was not seen";
    }
  }
}

TEST_F(SaslServers, WithoutTlsOnlyWhatHidesThePasswordIsUsed) {
  auto nothing = run(context, over_imap(token_of("alice", std::chrono::hours(1)), {}, false, true));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, "no-mechanism");
  auto hidden = run(context, over_imap(password_of("alice", MailLab::password()), {}, false, true));
  // Dovecot may keep its mechanisms back until TLS is on; what it offers must hide the password.
  if (hidden) {
    EXPECT_TRUE(hidden->mechanism.starts_with("SCRAM") || hidden->mechanism == "CRAM-MD5")
        << hidden->mechanism;
    EXPECT_TRUE(hidden->success);
  } else {
    EXPECT_EQ(hidden.error().code, "no-mechanism") << hidden.error().describe();
  }
}

TEST_F(SaslServers, PostfixTakesAndRefusesAsDovecotDoes) {
  for (const char* name : password_mechanisms) {
    auto good = run(context, over_smtp(password_of("bob", MailLab::password()), {.allowed = {name}}));
    ASSERT_TRUE(good) << name << good.error().describe();
    EXPECT_TRUE(good->success) << name << (good->refusal ? good->refusal->describe() : "");
    EXPECT_TRUE(good->finished) << name;
    auto bad = run(context, over_smtp(password_of("bob", "wrong donkey"), {.allowed = {name}}));
    ASSERT_TRUE(bad) << name << bad.error().describe();
    EXPECT_FALSE(bad->success) << name;
    EXPECT_EQ(bad->refusal->code, "credentials-refused") << name;
  }
  for (const char* name : token_mechanisms) {
    auto good = run(context, over_smtp(token_of("bob", std::chrono::hours(1)), {.allowed = {name}}));
    ASSERT_TRUE(good) << name << good.error().describe();
    EXPECT_TRUE(good->success) << name << (good->refusal ? good->refusal->describe() : "");
    auto bad = run(context, over_smtp(token_of("bob", std::chrono::seconds(-60)), {.allowed = {name}}));
    ASSERT_TRUE(bad) << name << bad.error().describe();
    EXPECT_FALSE(bad->success) << name;
    EXPECT_EQ(bad->refusal->code, "token-refused") << name;
  }
}

}  // namespace
}  // namespace syncline::auth
