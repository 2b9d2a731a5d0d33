// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "routing/pop3/session.hpp"
#include "tests/fake/pop3/pop3_peer.hpp"

namespace syncline::pop3 {
namespace {

using net::testing::VirtualWorld;
using testing::Pop3Peer;

class Collected final : public MessageReceiver {
 public:
  Result<void> begin(std::size_t index) override {
    EXPECT_EQ(index, texts.size());
    texts.emplace_back();
    return {};
  }
  Result<void> write(std::string_view octets) override {
    texts.back() += octets;
    return stops_at != 0 && texts.size() == stops_at ? fail(ErrorDomain::local, "disk-full", "no room")
                                                     : Result<void>{};
  }
  Result<void> end(std::size_t index, Result<void> outcome) override {
    EXPECT_EQ(index + 1, texts.size());
    codes.push_back(outcome ? "" : outcome.error().code);
    return {};
  }

  std::vector<std::string> texts;
  std::vector<std::string> codes;
  std::size_t stops_at = 0;
};

SessionSettings settings(mail::TlsMode tls = mail::TlsMode::none) {
  return {.endpoint = {.host = "pop.example.test", .port = 110, .tls = tls}};
}

Login login() {
  Login made;
  made.user = "alice";
  made.password = Secret(std::string("secret"));
  made.clear_text_without_tls = true;
  return made;
}

struct Opened {
  explicit Opened(Pop3Peer& peer, SessionSettings wanted = settings(), Login how = login()) {
    peer.listen(world, wanted.endpoint.host, wanted.endpoint.port,
                wanted.endpoint.tls == mail::TlsMode::implicit);
    auto opened = world.run(Session::open(world.environment(), wanted, how));
    if (opened)
      session = std::move(*opened);
    else
      error = std::move(opened.error());
  }
  Result<void> fetch(std::vector<Session::Wanted> wanted, Collected& into, bool header_only = false,
                     std::uint64_t most = 1 << 20) {
    return world.run(session->fetch(wanted, header_only, most, into));
  }

  VirtualWorld world;
  std::unique_ptr<Session> session;
  Error error;
};

std::vector<Session::Wanted> all_of(const Pop3Peer& peer) {
  std::vector<Session::Wanted> wanted;
  for (std::size_t i = 0; i < peer.mailbox.size(); ++i)
    wanted.push_back({static_cast<std::uint32_t>(i + 1), peer.mailbox[i].octets.size()});
  return wanted;
}

TEST(Pop3Session, MessagesComeOctetForOctetAndPipelined) {
  for (const bool pipelining : {true, false}) {
    Pop3Peer peer;
    if (!pipelining) std::erase(peer.offers, "PIPELINING");
    for (int i = 0; i < 120; ++i)
      peer.mailbox.push_back(
          testing::mail("u" + std::to_string(i), "s" + std::to_string(i), static_cast<std::size_t>(i * 700)));
    Opened open(peer);
    ASSERT_NE(open.session, nullptr) << open.error.describe();
    const std::size_t before = peer.reads;
    Collected collected;
    auto fetched = open.fetch(all_of(peer), collected);
    ASSERT_TRUE(fetched) << fetched.error().describe();
    ASSERT_EQ(collected.texts.size(), 120u);
    for (std::size_t i = 0; i < 120; ++i) EXPECT_TRUE(collected.texts[i] == peer.mailbox[i].octets) << i;
    if (pipelining)
      EXPECT_LE(peer.reads - before, 10u);
    else
      EXPECT_EQ(peer.reads - before, 120u);
  }
}

TEST(Pop3Session, ListingsAndHeadersAreRead) {
  Pop3Peer peer;
  peer.mailbox = {testing::mail("a", "first"), testing::mail("b", "second", 5000)};
  Opened open(peer);
  auto sizes = open.world.run(open.session->list());
  ASSERT_TRUE(sizes);
  ASSERT_EQ(sizes->size(), 2u);
  EXPECT_EQ((*sizes)[1].octets, peer.mailbox[1].octets.size());
  auto uids = open.world.run(open.session->uidl());
  ASSERT_TRUE(uids && *uids);
  EXPECT_EQ((**uids)[1].uid, "b");
  Collected headers;
  ASSERT_TRUE(open.fetch({{2, 0}}, headers, true));
  EXPECT_TRUE(headers.texts[0].ends_with("<second@example.test>\r\n\r\n")) << headers.texts[0];
}

TEST(Pop3Session, WithoutUniqueIdsItSaysSo) {
  Pop3Peer peer;
  peer.has_uidl = false;
  std::erase(peer.offers, "UIDL");
  Opened open(peer);
  auto uids = open.world.run(open.session->uidl());
  ASSERT_TRUE(uids);
  EXPECT_FALSE(*uids);
  EXPECT_EQ(peer.count("UIDL"), 0u);
  Pop3Peer old;
  old.has_uidl = old.has_capa = false;
  Opened other(old);
  ASSERT_NE(other.session, nullptr);
  uids = other.world.run(other.session->uidl());
  ASSERT_TRUE(uids) << "it is asked, and refuses";
  EXPECT_FALSE(*uids);
}

TEST(Pop3Session, OneRefusedMessageDoesNotStopTheOthers) {
  Pop3Peer peer;
  for (const char* name : {"a", "b", "c"}) peer.mailbox.push_back(testing::mail(name, name));
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "RETR 2") return "-ERR message is damaged\r\n";
    return std::nullopt;
  };
  Opened open(peer);
  Collected collected;
  ASSERT_TRUE(open.fetch(all_of(peer), collected));
  EXPECT_EQ(collected.codes, (std::vector<std::string>{"", "message-refused", ""}));
  EXPECT_TRUE(collected.texts[2] == peer.mailbox[2].octets);
}

TEST(Pop3Session, AMessageWithoutEndIsCutOffAtTheLimit) {
  Pop3Peer peer;
  peer.mailbox = {testing::mail("a", "a", 3'000'000)};
  Opened open(peer);
  Collected collected;
  auto fetched = open.fetch({{1, 100}}, collected, false, 1 << 20);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, "message-too-long");
  EXPECT_LE(collected.texts[0].size(), std::size_t{1} << 20);
  EXPECT_EQ(collected.codes, (std::vector<std::string>{"message-too-long"}));
  EXPECT_FALSE(open.session->usable());
}

TEST(Pop3Session, AFaultOfTheReceiverEndsTheSession) {
  Pop3Peer peer;
  for (const char* name : {"a", "b", "c"}) peer.mailbox.push_back(testing::mail(name, name));
  Opened open(peer);
  Collected collected;
  collected.stops_at = 2;
  auto fetched = open.fetch(all_of(peer), collected);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, "disk-full");
  EXPECT_FALSE(open.session->usable());
}

TEST(Pop3Session, AServerThatStopsInAMessageIsLeftAtTheDeadline) {
  Pop3Peer peer;
  peer.mailbox = {testing::mail("a", "a")};
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("RETR")) return "+OK\r\nSubject: unfinished\r\n";
    return std::nullopt;
  };
  Opened open(peer);
  Collected collected;
  auto fetched = open.fetch({{1, 100}}, collected);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, "timeout");
  EXPECT_LE(open.world.elapsed(), std::chrono::minutes(3));
}

TEST(Pop3Session, DeletionsAreCommittedByQuitAlone) {
  Pop3Peer peer;
  for (const char* name : {"a", "b", "c"}) peer.mailbox.push_back(testing::mail(name, name));
  {
    Opened open(peer);
    const std::vector<std::uint32_t> numbers{1, 3};
    ASSERT_TRUE(open.world.run(open.session->remove(numbers)));
    EXPECT_EQ(peer.mailbox.size(), 3u);
    EXPECT_TRUE(open.world.run(open.session->quit()));
  }
  ASSERT_EQ(peer.mailbox.size(), 1u);
  EXPECT_EQ(peer.mailbox[0].uid, "b");
}

TEST(Pop3Session, SignsInByPasswordOnlyWhereNobodyListens) {
  Pop3Peer peer;
  Login careful = login();
  careful.clear_text_without_tls = false;
  Opened open(peer, settings(), careful);
  EXPECT_EQ(open.session, nullptr);
  EXPECT_EQ(open.error.code, "sign-in-not-offered");
  EXPECT_EQ(peer.count("USER") + peer.count("PASS"), 0u);
  Pop3Peer secure;
  Opened with_tls(secure, settings(mail::TlsMode::implicit), careful);
  EXPECT_NE(with_tls.session, nullptr);
}

TEST(Pop3Session, ApopKeepsThePasswordOffTheWire) {
  Pop3Peer peer;
  // The example of RFC 1939 section 7.
  peer.greeting = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
  Login how = login();
  how.user = "mrose";
  how.password = Secret(std::string("tanstaaf"));
  how.clear_text_without_tls = false;
  Opened open(peer, settings(), how);
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  EXPECT_EQ(peer.count("APOP mrose c4c9334bac560ecc979e58001b3e22fb"), 1u);
  Pop3Peer fips_peer;
  fips_peer.greeting = peer.greeting;
  how.fips = true;
  Opened fips(fips_peer, settings(), how);
  EXPECT_EQ(fips.session, nullptr) << "MD5";
}

TEST(Pop3Session, SettingsThatWantThePasswordAsItIsOrNoneAreKeptTo) {
  Pop3Peer peer;
  peer.greeting = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
  Login how = login();
  how.apop = false;
  Opened basic(peer, settings(), how);
  EXPECT_NE(basic.session, nullptr) << basic.error.describe();
  EXPECT_EQ(peer.count("APOP"), 0u);
  EXPECT_EQ(peer.count("PASS"), 1u);
  Pop3Peer another;
  another.greeting = peer.greeting;
  how.password.reset();
  Opened without(another, settings(), how);
  EXPECT_EQ(without.session, nullptr);
  EXPECT_EQ(without.error.code, "sign-in-not-offered");
  EXPECT_EQ(another.count("APOP") + another.count("USER") + another.count("PASS"), 0u);
}

TEST(Pop3Session, NothingInANameOrPasswordIsACommand) {
  for (const bool in_name : {true, false}) {
    Pop3Peer peer;
    Login how = login();
    if (in_name)
      how.user = "alice\r\nDELE 1";
    else
      how.password = Secret(std::string("x\r\nDELE 1"));
    Opened open(peer, settings(), how);
    EXPECT_EQ(open.session, nullptr);
    EXPECT_EQ(open.error.code, "bad-credentials");
    EXPECT_EQ(peer.count("USER") + peer.count("DELE"), 0u);
  }
}

TEST(Pop3Session, StlsIsDoneBeforeAnythingIsSaid) {
  Pop3Peer peer;
  peer.offers.push_back("STLS");
  Opened open(peer, settings(mail::TlsMode::starttls));
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  EXPECT_TRUE(open.session->is_tls());
  EXPECT_EQ(peer.commands,
            (std::vector<std::string>{"CAPA", "STLS", "CAPA", "USER alice", "PASS secret", "CAPA"}));
  Pop3Peer without;
  Opened refused(without, settings(mail::TlsMode::starttls));
  EXPECT_EQ(refused.error.code, "no-stls");
  EXPECT_EQ(without.count("USER"), 0u);
}

TEST(Pop3Session, OctetsBeforeTheHandshakeEndTheSession) {
  Pop3Peer peer;
  peer.offers.push_back("STLS");
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "STLS") return "+OK begin\r\n+OK\r\nSASL PLAIN\r\n.\r\n";
    return std::nullopt;
  };
  Opened open(peer, settings(mail::TlsMode::starttls));
  EXPECT_EQ(open.session, nullptr);
  EXPECT_EQ(open.error.code, "starttls-injection");
  EXPECT_EQ(open.error.retry, RetryClass::never);
  EXPECT_EQ(peer.count("USER"), 0u);
}

TEST(Pop3Session, GmailIsAskedForWhatOtherProgramsTookAlready) {
  Pop3Peer peer;
  SessionSettings gmail = settings(mail::TlsMode::implicit);
  gmail.endpoint.host = "pop.gmail.com";
  gmail.endpoint.port = 995;
  Opened open(peer, gmail);
  ASSERT_NE(open.session, nullptr);
  EXPECT_EQ(peer.count("USER recent:alice"), 1u);
  EXPECT_TRUE(open.session->recent_mode());
  Pop3Peer other;
  other.greeting = "+OK Gpop ready for requests from 192.0.2.1 x123\r\n";
  Opened forwarded(other);
  EXPECT_EQ(other.count("USER recent:alice"), 1u);
  Pop3Peer plain;
  Opened usual(plain);
  EXPECT_EQ(plain.count("USER alice"), 1u);
  EXPECT_FALSE(usual.session->recent_mode());
}

TEST(Pop3Session, HostileServersAreErrors) {
  struct Case {
    std::string greeting;
    std::string code;
  };
  for (const Case& one : {Case{"-ERR [SYS/TEMP] later\r\n", "service-unavailable"},
                          Case{"-ERR go away\r\n", "service-unavailable"}, Case{"* OK IMAP\r\n", "bad-reply"},
                          Case{std::string(100'000, 'x'), "line-too-long"}, Case{"", "timeout"}}) {
    Pop3Peer peer;
    peer.greeting = one.greeting;
    Opened open(peer);
    EXPECT_EQ(open.session, nullptr);
    EXPECT_EQ(open.error.code, one.code) << one.greeting.substr(0, 40);
    EXPECT_EQ(open.error.retry, RetryClass::after);
  }
  Pop3Peer endless;
  std::string listing = "+OK\r\n";
  for (int i = 1; i <= 2000; ++i) listing += std::to_string(i) + " 1\r\n";
  endless.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "LIST") return listing;
    if (line == "UIDL") return "+OK\r\n1 " + std::string(50'000, 'u');
    return std::nullopt;
  };
  SessionSettings small = settings();
  small.most_messages = 1000;
  {
    Opened open(endless, small);
    EXPECT_EQ(open.world.run(open.session->list()).error().code, "listing-too-long");
    EXPECT_FALSE(open.session->usable());
  }
  Opened open(endless, small);
  EXPECT_EQ(open.world.run(open.session->uidl()).error().code, "line-too-long");
}

TEST(Pop3Session, ALockedMailboxIsTriedLater) {
  Pop3Peer peer;
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("PASS")) return "-ERR [IN-USE] another session\r\n";
    return std::nullopt;
  };
  Opened open(peer);
  EXPECT_EQ(open.error.code, "mailbox-in-use");
  EXPECT_EQ(open.error.retry, RetryClass::after);
  EXPECT_EQ(open.error.describe().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace syncline::pop3
