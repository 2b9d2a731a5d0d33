// SPDX-License-Identifier: GPL-3.0-or-later
// What real servers do not do: a peer that follows a script, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <map>

#include "net/testing/virtual_world.hpp"
#include "routing/imap/connect.hpp"
#include "tests/fake/imap/peer.hpp"

namespace syncline::imap {
namespace {

using mail::TlsMode;
using testing::command_of;
using testing::Peer;
using testing::tag_of;
using namespace std::chrono_literals;

/// Replies by the beginning of the command, used up in order, the last one for good. "$" is the tag. "!close"
/// at its end ends the connection, "!silence" says nothing any more.
using Replies = std::map<std::string, std::deque<std::string>>;

constexpr const char* login_only = "* OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE UIDPLUS] ready\r\n";

class Scripted : public ::testing::Test {
 protected:
  void serve(std::string greeting, Replies replies, std::uint16_t port = 143) {
    world_.listen("imap.example.test", port, {.tls = port == 993},
                  [this, greeting, replies](net::StreamPtr stream, std::string) {
                    world_.spawn(talk(std::move(stream), greeting, replies));
                  });
  }
  /// Whatever the script says, by hand.
  void serve(std::function<net::asio::awaitable<void>(Peer&)> script) {
    world_.listen("imap.example.test", 143, {}, [this, script](net::StreamPtr stream, std::string) {
      world_.spawn(by_hand(std::move(stream), script));
    });
  }

  Result<std::unique_ptr<Client>> connect(TlsMode tls = TlsMode::none) {
    mail::Endpoint where;
    where.host = "imap.example.test";
    where.port = tls == TlsMode::implicit ? 993 : 143;
    where.tls = tls;
    ConnectSettings how = settings_;
    how.sign_in.identity.user = "anna";
    how.sign_in.identity.password = Secret(std::string_view("correct horse"));
    how.sign_in.policy.clear_text_without_tls = true;
    return world_.run(imap::connect(world_.environment(), where, how));
  }
  std::unique_ptr<Client> connected() {
    auto client = connect();
    EXPECT_TRUE(client) << client.error().describe();
    return client ? std::move(*client) : nullptr;
  }
  bool was_asked(std::string_view what) const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [&](const std::string& one) { return one.find(what) != std::string::npos; });
  }

  static net::asio::awaitable<void> by_hand(net::StreamPtr stream,
                                            std::function<net::asio::awaitable<void>(Peer&)> script) {
    Peer peer(std::move(stream));
    co_await script(peer);
  }
  net::asio::awaitable<void> talk(net::StreamPtr stream, std::string greeting, Replies replies) {
    Peer peer(std::move(stream));
    if (!co_await peer.send(greeting)) co_return;
    std::string idle_tag;
    for (;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      asked_.push_back(*line);
      if (*line == "DONE") {
        const std::string done = idle_tag + " OK idle ended\r\n";
        if (!co_await peer.send(done)) co_return;
        continue;
      }
      const std::string tag = tag_of(*line);
      const std::string command = command_of(*line);
      if (command.starts_with("IDLE")) idle_tag = tag;
      std::string reply = "$ OK done\r\n";
      for (auto& [beginning, answers] : replies) {
        if (!command.starts_with(beginning)) continue;
        reply = answers.front();
        if (answers.size() > 1) answers.pop_front();
      }
      const bool closes = reply.ends_with("!close");
      if (closes) reply.resize(reply.size() - 6);
      if (reply == "!silence") {
        static_cast<void>(co_await peer.line());
        co_return;
      }
      for (std::size_t at = reply.find('$'); at != std::string::npos; at = reply.find('$', at + tag.size()))
        reply.replace(at, 1, tag);
      if (!co_await peer.send(reply)) co_return;
      if (closes) co_return;
    }
  }

  net::testing::VirtualWorld world_;
  ConnectSettings settings_;
  std::vector<std::string> asked_;
};

class Ignore final : public ReplyHandler {};

// --- TLS ---

TEST_F(Scripted, OctetsBehindTheAnswerToStarttlsEndTheSession) {
  serve("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n",
        {{"STARTTLS", {"$ OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}}});
  const auto client = connect(TlsMode::starttls);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "starttls-injection") << client.error().describe();
  EXPECT_EQ(client.error().domain, ErrorDomain::tls);
  EXPECT_EQ(client.error().retry, RetryClass::never);
  EXPECT_FALSE(was_asked("LOGIN"));
}

TEST_F(Scripted, AServerWithoutStarttlsGetsNoPassword) {
  serve("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", {});
  const auto client = connect(TlsMode::starttls);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "no-starttls");
  EXPECT_FALSE(was_asked("AUTHENTICATE"));
  EXPECT_FALSE(was_asked("LOGIN"));
}

TEST_F(Scripted, AGreetingThatSkipsTheSignInSkipsNoTls) {
  serve("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n", {});
  const auto client = connect(TlsMode::starttls);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "starttls-preauth");
}

TEST_F(Scripted, RefusedStarttlsIsNotPassedOver) {
  serve("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", {{"STARTTLS", {"$ NO not now\r\n"}}});
  const auto client = connect(TlsMode::starttls);
  ASSERT_FALSE(client);
  EXPECT_FALSE(was_asked("LOGIN"));
}

// --- greetings ---

TEST_F(Scripted, WhatIsNoImapServerIsToldApart) {
  for (const char* greeting :
       {"SSH-2.0-OpenSSH_9.2\r\n", "* 5 EXISTS\r\n", "s1 OK hello\r\n", "+ go on\r\n"}) {
    world_.stop_listening("imap.example.test", 143);
    serve(greeting, {});
    const auto client = connect();
    ASSERT_FALSE(client) << greeting;
    EXPECT_EQ(client.error().domain, ErrorDomain::mail);
    EXPECT_TRUE(client.error().code == "bad-greeting" || client.error().code == "bad-response")
        << client.error().describe();
  }
}

TEST_F(Scripted, AServerThatSaysByeIsTriedLater) {
  serve("* BYE [UNAVAILABLE] too many connections\r\n", {});
  const auto client = connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "UNAVAILABLE");
  EXPECT_EQ(client.error().retry, RetryClass::after);
}

TEST_F(Scripted, ASilentServerIsGivenUp) {
  serve("", {});
  const auto client = connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "timeout") << client.error().describe();
  EXPECT_EQ(client.error().retry, RetryClass::after);
  EXPECT_LT(world_.elapsed(), 2min);
}

TEST_F(Scripted, AnEndlessLineIsGivenUp) {
  settings_.session.limits.line_octets = 100'000;
  serve([](Peer& peer) -> net::asio::awaitable<void> {
    const std::string piece(10'000, 'x');
    while (co_await peer.send(piece)) {
    }
  });
  const auto client = connect();
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, "line-too-long");
}

// --- signing in ---

TEST_F(Scripted, RefusalsOfTheSignInAreToldApart) {
  const std::tuple<const char*, const char*, RetryClass> refusals[] = {
      {"$ NO [AUTHENTICATIONFAILED] bad\r\n", "credentials-refused", RetryClass::reauthenticate},
      {"$ NO [UNAVAILABLE] backend\r\n", "UNAVAILABLE", RetryClass::after},
      {"$ NO LOGIN failed\r\n", "credentials-refused", RetryClass::reauthenticate},
      {"$ NO [ALERT] Too many simultaneous connections\r\n", "THROTTLED", RetryClass::after},
      {"$ BAD User is authenticated but not connected.\r\n", "not-authorised", RetryClass::reauthenticate},
  };
  for (const auto& [reply, code, retry] : refusals) {
    world_.stop_listening("imap.example.test", 143);
    serve(login_only, {{"LOGIN", {reply}}});
    const auto client = connect();
    ASSERT_FALSE(client) << reply;
    EXPECT_EQ(client.error().code, code) << client.error().describe();
    EXPECT_EQ(client.error().retry, retry) << client.error().describe();
    EXPECT_EQ(client.error().describe().find("horse"), std::string::npos);
  }
}

TEST_F(Scripted, CapabilitiesOfBeforeTheSignInAreAskedForAnew) {
  serve("* OK [CAPABILITY IMAP4rev1] ready\r\n",
        {{"CAPABILITY", {"* CAPABILITY IMAP4rev1 MOVE ID\r\n$ OK\r\n"}}, {"LOGIN", {"$ OK in\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->capabilities().move());
  EXPECT_TRUE(was_asked("ID (\"name\" \"Syncline\")"));
}

// --- commands ---

TEST_F(Scripted, AHugeLiteralIsRefusedWithoutWaitingForIt) {
  serve(login_only, {{"SELECT", {"* OK [UIDVALIDITY 1] x\r\n$ OK\r\n"}},
                     {"UID FETCH", {"* 1 FETCH (UID 1 BODY[] {4294967296}\r\nabc"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  Ignore ignore;
  const auto fetched =
      world_.run(client->fetch({{.uids = UidSet::range(1, 1)}}, "(UID BODY.PEEK[])", ignore));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, "literal-too-large");
  EXPECT_FALSE(client->session().open());
}

TEST_F(Scripted, ManyCommandsAreUnderWayAtOnceAndNotTooMany) {
  std::size_t most = 0;
  std::size_t answered = 0;
  serve([&](Peer& peer) -> net::asio::awaitable<void> {
    if (!co_await peer.send(login_only)) co_return;
    std::deque<std::string> waiting;
    for (;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      if (!command_of(*line).starts_with("UID FETCH")) {
        const std::string reply =
            (command_of(*line).starts_with("SELECT") ? "* OK [UIDVALIDITY 1] x\r\n" : "") + tag_of(*line) +
            " OK\r\n";
        if (!co_await peer.send(reply)) co_return;
        continue;
      }
      waiting.push_back(tag_of(*line));
      most = std::max(most, waiting.size());
      // Nothing is answered while there is more to read.
      if (!peer.received().empty()) continue;
      const std::string reply = waiting.front() + " OK\r\n";
      waiting.pop_front();
      ++answered;
      if (!co_await peer.send(reply)) co_return;
      while (answered + waiting.size() >= 10 && !waiting.empty()) {
        const std::string last = waiting.front() + " OK\r\n";
        waiting.pop_front();
        ++answered;
        if (!co_await peer.send(last)) co_return;
      }
    }
  });
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  std::vector<FetchBatch> batches;
  for (Uid uid = 1; uid <= 10; ++uid) batches.push_back({.uids = UidSet::range(uid, uid), .octets = 1});
  Ignore ignore;
  const auto fetched = world_.run(client->fetch(std::move(batches), "(UID)", ignore));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->size(), 10U);
  EXPECT_EQ(most, 4U);
}

TEST_F(Scripted, OctetsInFlightHaveALimit) {
  settings_.client.octets_in_flight = 1000;
  serve(login_only, {{"SELECT", {"* OK [UIDVALIDITY 1] x\r\n$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  std::vector<FetchBatch> batches;
  for (Uid uid = 1; uid <= 3; ++uid) batches.push_back({.uids = UidSet::range(uid, uid), .octets = 5000});
  Ignore ignore;
  const auto fetched = world_.run(client->fetch(std::move(batches), "(UID)", ignore));
  ASSERT_TRUE(fetched) << "one is always let through";
  EXPECT_EQ(fetched->size(), 3U);
}

TEST_F(Scripted, ARefusedBatchDoesNotCostTheOthers) {
  serve(login_only, {{"SELECT", {"* OK [UIDVALIDITY 1] x\r\n$ OK\r\n"}},
                     {"UID FETCH 2", {"$ NO [CORRUPTION] bad\r\n"}},
                     {"UID FETCH 3", {"* 3 FETCH (UID 3 FLAGS ())\r\n$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  std::vector<FetchBatch> batches;
  for (Uid uid = 1; uid <= 3; ++uid) batches.push_back({.uids = UidSet::range(uid, uid)});
  Ignore ignore;
  const auto fetched = world_.run(client->fetch(std::move(batches), "(UID FLAGS)", ignore));
  ASSERT_TRUE(fetched);
  EXPECT_TRUE((*fetched)[0]);
  ASSERT_FALSE((*fetched)[1]);
  EXPECT_EQ((*fetched)[1].error().retry, RetryClass::quarantine);
  EXPECT_TRUE((*fetched)[2]);
}

TEST_F(Scripted, AnAnswerToNobodyEndsTheSession) {
  serve(login_only, {{"NOOP", {"zz9 OK what\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  EXPECT_EQ(world_.run(client->noop()).error().code, "bad-response");
}

TEST_F(Scripted, AServerThatDoesNotStopReplyingIsStopped) {
  settings_.session.limits.replies_to_a_command = 1000;
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += "* OK still here\r\n";
  serve(login_only, {{"NOOP", {flood + "$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  EXPECT_EQ(world_.run(client->noop()).error().code, "too-many-replies");
}

TEST_F(Scripted, ACommandWithoutAnAnswerEndsInTime) {
  serve(login_only, {{"NOOP", {"!silence"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  const auto begun = world_.elapsed();
  EXPECT_EQ(world_.run(client->noop()).error().code, "timeout");
  EXPECT_EQ(world_.elapsed() - begun, 60s);
}

TEST_F(Scripted, AServerThatDripsDoesNotHoldACommandForEver) {
  serve([this](Peer& peer) -> net::asio::awaitable<void> {
    if (!co_await peer.send(login_only)) co_return;
    auto line = co_await peer.line();
    while (line && !command_of(*line).starts_with("NOOP")) {
      const std::string reply = tag_of(*line) + " OK\r\n";
      if (!co_await peer.send(reply)) co_return;
      line = co_await peer.line();
    }
    while (co_await peer.send("x")) static_cast<void>(co_await world_.sleep(50s));
  });
  auto client = connected();
  ASSERT_TRUE(client);
  const auto begun = world_.elapsed();
  const auto lost = world_.run(client->noop());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "timeout") << lost.error().describe();
  EXPECT_EQ(world_.elapsed() - begun, 30min);
}

TEST_F(Scripted, TheLastWordsOfTheServerAreInTheError) {
  serve(login_only, {{"NOOP", {"* BYE Autologout; idle for too long\r\n!close"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  const auto lost = world_.run(client->noop());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "BYE") << lost.error().describe();
  EXPECT_EQ(lost.error().retry, RetryClass::after);
  EXPECT_NE(lost.error().message.find("Autologout"), std::string::npos);
}

TEST_F(Scripted, ALiteralIsSentOnlyWhenTheServerWantsIt) {
  std::string got;
  serve([&](Peer& peer) -> net::asio::awaitable<void> {
    if (!co_await peer.send("* OK [CAPABILITY IMAP4rev1 UIDPLUS] ready\r\n")) co_return;
    for (int appends = 0;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      const std::string tag = tag_of(*line);
      if (!command_of(*line).starts_with("APPEND")) {
        const std::string reply = tag + " OK\r\n";
        if (!co_await peer.send(reply)) co_return;
        continue;
      }
      EXPECT_TRUE(line->ends_with("{5}")) << *line;
      EXPECT_TRUE(peer.received().empty()) << "nothing is sent unasked";
      if (++appends == 1) {
        const std::string reply = tag + " NO [TRYCREATE] no such folder\r\n";
        if (!co_await peer.send(reply)) co_return;
        continue;
      }
      if (!co_await peer.send("+ go on\r\n")) co_return;
      auto octets = co_await peer.octets(7);
      if (!octets) co_return;
      got = *octets;
      const std::string reply = tag + " OK [APPENDUID 17 99] done\r\n";
      if (!co_await peer.send(reply)) co_return;
    }
  });
  auto client = connected();
  ASSERT_TRUE(client);
  std::size_t at = 0;
  const ReadOctets read = [&](std::span<std::byte> room) -> Result<std::size_t> {
    const std::string_view text = "hello";
    const std::size_t count = std::min(room.size(), text.size() - at);
    std::memcpy(room.data(), text.data() + at, count);
    at += count;
    return count;
  };
  const auto refused = world_.run(client->append("nowhere", {}, std::nullopt, 5, read));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "TRYCREATE");
  EXPECT_EQ(at, 0U);
  const auto appended = world_.run(client->append("there", {}, std::nullopt, 5, read));
  ASSERT_TRUE(appended) << appended.error().describe();
  EXPECT_EQ(appended->uid, 99U);
  EXPECT_EQ(appended->uid_validity, 17U);
  EXPECT_EQ(got, "hello\r\n");
}

TEST_F(Scripted, ContentThatEndsEarlyEndsTheConnectionAndNotTheMessage) {
  serve(login_only, {});
  auto client = connected();
  ASSERT_TRUE(client);
  const ReadOctets nothing = [](std::span<std::byte>) -> Result<std::size_t> { return 0; };
  const auto cut = world_.run(client->append("there", {}, std::nullopt, 5, nothing));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, "content-cut");
  EXPECT_FALSE(client->session().open());
}

TEST_F(Scripted, AConnectionCutAnywhereIsAnErrorThatPasses) {
  const std::string reply = "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n$ OK\r\n";
  for (std::size_t cut = 0; cut < reply.size() - 8; ++cut) {
    world_.stop_listening("imap.example.test", 143);
    serve([&, cut](Peer& peer) -> net::asio::awaitable<void> {
      if (!co_await peer.send(login_only)) co_return;
      for (;;) {
        auto line = co_await peer.line();
        if (!line) co_return;
        if (command_of(*line).starts_with("UID FETCH")) {
          const std::string part = reply.substr(0, cut);
          static_cast<void>(co_await peer.send(part));
          co_return;
        }
        const std::string ok = "* OK [UIDVALIDITY 1] x\r\n" + tag_of(*line) + " OK\r\n";
        if (!co_await peer.send(ok)) co_return;
      }
    });
    auto client = connected();
    ASSERT_TRUE(client);
    ASSERT_TRUE(world_.run(client->select("INBOX")));
    Ignore ignore;
    const auto fetched =
        world_.run(client->fetch({{.uids = UidSet::range(1, 1)}}, "(UID BODY.PEEK[])", ignore));
    ASSERT_FALSE(fetched) << cut;
    EXPECT_EQ(fetched.error().retry, RetryClass::after) << cut << fetched.error().describe();
  }
}

// --- IDLE ---

TEST_F(Scripted, IdleIsRenewedBeforeAnybodyForgetsUs) {
  serve(login_only, {{"IDLE", {"+ idling\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  const auto until = world_.environment().clock.steady_now() + 1h;
  const auto changed = world_.run(client->idle(until));
  ASSERT_TRUE(changed) << changed.error().describe();
  EXPECT_FALSE(*changed);
  EXPECT_EQ(std::count(asked_.begin(), asked_.end(), "DONE"), 7);
  EXPECT_TRUE(world_.run(client->noop()));
}

TEST_F(Scripted, ADeadLinkIsFoundSoonAfterTheRenewal) {
  // Its answer to DONE never comes.
  serve([](Peer& peer) -> net::asio::awaitable<void> {
    if (!co_await peer.send(login_only)) co_return;
    for (;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      if (*line == "DONE") continue;
      const std::string reply =
          command_of(*line).starts_with("IDLE") ? "+ idling\r\n" : tag_of(*line) + " OK\r\n";
      if (!co_await peer.send(reply)) co_return;
    }
  });
  auto client = connected();
  ASSERT_TRUE(client);
  const auto begun = world_.elapsed();
  const auto until = world_.environment().clock.steady_now() + 24h;
  const auto lost = world_.run(client->idle(until));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "timeout") << lost.error().describe();
  EXPECT_EQ(lost.error().retry, RetryClass::after);
  EXPECT_EQ(world_.elapsed() - begun, 9min + 30s);
}

TEST_F(Scripted, IdleEndsWithAChangeEvenIfItComesAtOnce) {
  for (const char* change :
       {"* 5 EXISTS\r\n", "* 2 EXPUNGE\r\n", "* VANISHED 4\r\n", "* 3 FETCH (FLAGS (\\Seen))\r\n"}) {
    world_.stop_listening("imap.example.test", 143);
    serve(login_only, {{"IDLE", {std::string("+ idling\r\n") + change}}});
    auto client = connected();
    ASSERT_TRUE(client);
    const auto until = world_.environment().clock.steady_now() + 1h;
    const auto changed = world_.run(client->idle(until));
    ASSERT_TRUE(changed) << changed.error().describe();
    EXPECT_TRUE(*changed);
    EXPECT_TRUE(world_.run(client->noop()));
  }
}

TEST_F(Scripted, WithoutIdleTheServerIsAsked) {
  serve("* OK [CAPABILITY IMAP4rev1] ready\r\n",
        {{"SELECT", {"* 4 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n$ OK\r\n"}},
         {"NOOP", {"$ OK\r\n", "$ OK\r\n", "* 5 EXISTS\r\n$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  const auto until = world_.environment().clock.steady_now() + 1h;
  const auto changed = world_.run(client->idle(until));
  ASSERT_TRUE(changed);
  EXPECT_TRUE(*changed);
  EXPECT_LT(world_.elapsed(), 3min);
}

// --- changes of others ---

TEST_F(Scripted, VanishedIsTakenFromAnyReply) {
  serve(login_only, {{"SELECT", {"* 9 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n$ OK\r\n"}},
                     {"NOOP", {"* VANISHED 3:4\r\n$ OK\r\n"}},
                     {"UID SEARCH", {"* VANISHED 7\r\n* SEARCH 1 2\r\n$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  ASSERT_TRUE(world_.run(client->select("INBOX")));
  ASSERT_TRUE(world_.run(client->noop()));
  const auto found = world_.run(client->search("ALL"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->to_string(), "1:2");
  EXPECT_EQ(client->take_vanished().to_string(), "3:4,7");
  EXPECT_EQ(client->selected()->exists, 6U);
}

TEST_F(Scripted, AFolderWithoutUidvalidityCannotBeRead) {
  serve(login_only, {{"SELECT", {"* 9 EXISTS\r\n$ OK\r\n"}}});
  auto client = connected();
  ASSERT_TRUE(client);
  EXPECT_EQ(world_.run(client->select("INBOX")).error().code, "no-uidvalidity");
}

}  // namespace
}  // namespace syncline::imap
