// SPDX-License-Identifier: GPL-3.0-or-later
// The test Exchange's transport in virtual time: a client that speaks by hand, a smart host that is scripted.
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "tests/support/line_peer.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/transport/transport.hpp"

namespace exchange_sim {
namespace {

namespace asio = net::asio;
using net::testing::VirtualWorld;
using std::chrono::milliseconds;
using syncline::testing::LinePeer;

constexpr std::string_view anna = "anna@ours.test";
constexpr std::string_view mail_to_bo =
    "From: anna@ours.test\r\nTo: bo@else.test\r\nSubject: hello\r\nMessage-ID: <1@ours.test>\r\n\r\n.dot\r\n";

/// A smart host: says what `answer` says, else yes; keeps what it took.
struct Host {
  struct Taken {
    std::string from;
    std::vector<std::string> to;
    std::string text;
  };
  explicit Host(VirtualWorld& world) {
    syncline::testing::serve_lines(world, "smart.test", 2525, {}, [this](LinePeer& peer, std::size_t) {
      ++connections;
      return run(peer);
    });
  }
  asio::awaitable<void> run(LinePeer& peer) {
    co_await peer.say(greeting);
    Taken taken;
    for (;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      commands.push_back(*line);
      std::string reply = "250 2.0.0 ok\r\n";
      if (line->starts_with("EHLO")) reply = offers;
      if (line->starts_with("MAIL")) taken.from = *line;
      if (*line == "DATA") reply = "354 go on\r\n";
      if (answer) reply = answer(*line).value_or(reply);
      if (line->starts_with("RCPT") && reply.starts_with("2")) taken.to.push_back(*line);
      if (reply.empty()) co_return;
      co_await peer.say(reply);
      if (*line != "DATA" || !reply.starts_with("354")) continue;
      std::string end = "\r\n.\r\n";
      taken.text = co_await peer.until(std::move(end));
      reply = answer ? answer("text").value_or("250 2.0.0 queued\r\n") : "250 2.0.0 queued\r\n";
      if (reply.starts_with("2") || reply.empty()) took.push_back(std::move(taken));
      taken = {};
      if (reply.empty()) co_return;
      co_await peer.say(reply);
    }
  }
  std::string greeting = "220 smart.test ESMTP\r\n";
  std::string offers = "250-smart.test\r\n250-SIZE 1000\r\n250 8BITMIME\r\n";
  std::function<std::optional<std::string>(const std::string& line)> answer;
  std::vector<std::string> commands;
  std::vector<Taken> took;
  std::size_t connections = 0;
};

class TransportTest : public ::testing::Test {
 protected:
  TransportTest() {
    EXPECT_TRUE(service_.add_mailbox({.address = std::string(anna), .display_name = "Anna", .site = {}}));
    EXPECT_TRUE(service_.add_mailbox(
        {.address = "ben@ours.test", .display_name = "Ben", .site = {}, .aliases = {"info@ours.test"}}));
    settings_.smart_host = {"smart.test", 2525};
    settings_.retry = milliseconds(1000);
    settings_.longest_retry = milliseconds(8000);
    settings_.give_up = milliseconds(60'000);
  }
  Transport& transport() {
    if (!transport_)
      transport_ = std::make_unique<Transport>(world_.environment(), settings_,
                                               std::vector<std::string>{"ours.test"}, service_);
    return *transport_;
  }
  /// Anna sends `mime` as a client of EWS does.
  void send(std::string_view mime, std::vector<std::string> to = {"bo@else.test"}) {
    transport();
    std::string recipients;
    for (const auto& one : to)
      recipients += "<t:Mailbox><t:EmailAddress>" + one + "</t:EmailAddress></t:Mailbox>";
    const auto reply = service_.handle(
        {.site = {},
         .authenticated_as = std::string(anna),
         .mailbox = std::string(anna),
         .requested_version = {}},
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
        "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Body><m:CreateItem "
        "MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:Message><t:MimeContent>" +
            syncline::base64_encode(mime) + "</t:MimeContent><t:ToRecipients>" + recipients +
            "</t:ToRecipients></t:Message></m:Items></m:CreateItem></s:Body></s:Envelope>");
    EXPECT_NE(reply.body_xml.find("NoError"), std::string::npos) << reply.body_xml;
  }
  std::vector<std::string> inbox(std::string_view mailbox = anna) {
    std::vector<std::string> out;
    const auto items = service_.list(mailbox, "inbox").value();
    for (const auto& item : items) out.push_back(service_.mime(mailbox, item.id).value());
    return out;
  }
  /// What a peer hears that says all of this and then ends its side.
  std::string converse(std::string said) {
    auto [ours, theirs] = net::testing::memory_stream_pair(world_.environment());
    transport().server().serve(std::move(theirs));
    auto talk = [](net::StreamPtr stream, std::string text) -> net::Async<std::string> {
      const auto octets = std::as_bytes(std::span<const char>(text.data(), text.size()));
      auto written = co_await stream->write_all(octets);
      if (written) static_cast<void>(co_await stream->shutdown_write());
      std::string heard;
      std::array<std::byte, 4096> buffer{};
      const std::span<std::byte> room(buffer);
      for (;;) {
        auto count = co_await stream->read_some(room);
        if (!count || *count == 0) co_return heard;
        heard.append(reinterpret_cast<const char*>(buffer.data()), *count);
      }
    };
    return world_.run(talk(std::move(ours), std::move(said))).value();
  }

  VirtualWorld world_;
  syncline::SeededRandom random_{7};
  ExchangeService service_{world_.environment().clock, random_};
  TransportSettings settings_;
  Host host_{world_};
  std::unique_ptr<Transport> transport_;
};

TEST_F(TransportTest, WhatComesBySmtpIsInTheInboxOctetForOctet) {
  const std::string text = "Subject: from outside\r\nFrom: bo@else.test\r\n\r\n\x01\xFF odd octets\r\nno end";
  const std::string heard = converse(
      "EHLO c\r\nMAIL FROM:<bo@else.test>\r\nRCPT TO:<ANNA@ours.test>\r\nRCPT TO:<ben@ours.test>\r\n"
      "RCPT TO:<info@ours.test>\r\nRCPT TO:<nobody@ours.test>\r\nDATA\r\n" +
      text + "\r\n.\r\nQUIT\r\n");
  EXPECT_NE(heard.find("550 5.1.10"), std::string::npos) << heard;
  EXPECT_NE(heard.find("\r\n221 "), std::string::npos) << heard;
  EXPECT_EQ(inbox(), std::vector<std::string>{text + "\r\n"});
  EXPECT_EQ(inbox("ben@ours.test").size(), 1U) << "two addresses of one mailbox are one copy";
  EXPECT_EQ(service_.list(anna, "inbox")->at(0).subject, "from outside");
  EXPECT_FALSE(service_.list(anna, "inbox")->at(0).is_read);
  EXPECT_EQ(transport().sums().received, 1U);
  EXPECT_EQ(transport().sums().delivered, 2U);
}

TEST_F(TransportTest, AMailboxThatIsGoneBetweenRcptAndTheEndIsTriedAgain) {
  auto [ours, theirs] = net::testing::memory_stream_pair(world_.environment());
  transport().server().serve(std::move(theirs));
  auto talk = [&](net::StreamPtr stream) -> net::Async<std::string> {
    LinePeer peer(std::move(stream));
    std::string text =
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<anna@ours.test>\r\nRCPT TO:<ben@ours.test>\r\nDATA\r\n";
    co_await peer.say(std::move(text));
    std::string before = "354";
    static_cast<void>(co_await peer.until(std::move(before)));
    EXPECT_TRUE(service_.remove_mailbox("ben@ours.test"));
    text = "x\r\n.\r\nQUIT\r\n";
    co_await peer.say(std::move(text));
    before = "221";
    auto heard = co_await peer.until(std::move(before));
    co_return heard;
  };
  const std::string heard = world_.run(talk(std::move(ours))).value();
  EXPECT_NE(heard.find("451"), std::string::npos) << heard;
  EXPECT_TRUE(inbox().empty()) << "nobody gets it twice";
}

TEST_F(TransportTest, ASilentPeerIsLeftAndTooManyAreToldSo) {
  settings_.idle = milliseconds(5000);
  settings_.connections = 1;
  auto [ours, theirs] = net::testing::memory_stream_pair(world_.environment());
  transport().server().serve(std::move(theirs));
  world_.run_for(milliseconds(100));
  EXPECT_EQ(converse(""), "421 4.3.2 Too many connections\r\n");
  world_.run_for(milliseconds(4000));
  EXPECT_EQ(transport().server().connections(), 1U);
  world_.run_for(milliseconds(2000));
  EXPECT_EQ(transport().server().connections(), 0U);
}

TEST_F(TransportTest, MailForOthersGoesToTheSmartHostOnce) {
  send(mail_to_bo, {"bo@else.test", "Cleo@Other.test", "ben@ours.test", "bo@ELSE.test"});
  world_.run_for(milliseconds(1));
  ASSERT_EQ(host_.took.size(), 1U);
  EXPECT_EQ(host_.took[0].from,
            "MAIL FROM:<anna@ours.test> SIZE=" +
                std::to_string(host_.took[0].text.size() - std::string_view("..\r\n").size()))
      << "the size is that before stuffing";
  EXPECT_EQ(host_.took[0].to,
            (std::vector<std::string>{"RCPT TO:<bo@else.test>", "RCPT TO:<Cleo@Other.test>"}));
  EXPECT_NE(host_.took[0].text.find("Message-ID: <1@ours.test>\r\n"), std::string::npos)
      << host_.took[0].text;
  EXPECT_NE(host_.took[0].text.find("\r\n\r\n..dot\r\n.\r\n"), std::string::npos) << host_.took[0].text;
  EXPECT_NE(host_.took[0].text.find("Date: "), std::string::npos) << "the author gave none";
  EXPECT_EQ(inbox("ben@ours.test").size(), 1U);
  EXPECT_EQ(service_.list(anna, "sentitems")->size(), 1U);
  world_.run_for(std::chrono::hours(1));
  EXPECT_EQ(host_.took.size(), 1U);
  EXPECT_EQ(host_.connections, 1U);
  EXPECT_TRUE(transport().waiting().empty());
  EXPECT_EQ(transport().sums().handed_over, 2U);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(TransportTest, WhatPassesIsTriedAgainAndLaterEachTime) {
  std::vector<milliseconds> at;
  host_.answer = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("EHLO")) at.push_back(world_.elapsed());
    if (line == "text" && at.size() < 6) return "451 4.3.0 later\r\n";
    return std::nullopt;
  };
  send(mail_to_bo);
  world_.run_for(milliseconds(10));
  ASSERT_EQ(transport().waiting().size(), 1U);
  EXPECT_EQ(transport().waiting()[0].last_trouble, "451 4.3.0 later");
  EXPECT_EQ(transport().waiting()[0].message_id, "<1@ours.test>");
  world_.run_for(milliseconds(60'000));
  const milliseconds start = at.at(0);
  for (auto& one : at) one -= start;
  EXPECT_EQ(at, (std::vector<milliseconds>{milliseconds(0), milliseconds(1000), milliseconds(3000),
                                           milliseconds(7000), milliseconds(15000), milliseconds(23000)}));
  EXPECT_EQ(host_.took.size(), 1U);
  EXPECT_TRUE(inbox().empty());
}

TEST_F(TransportTest, ASmartHostThatComesLaterGetsWhatWaits) {
  settings_.smart_host = {"closed.test", 25};
  send(mail_to_bo);
  world_.run_for(milliseconds(1));
  EXPECT_EQ(transport().waiting().at(0).attempts, 1U);
  transport().set_smart_host({"smart.test", 2525});
  world_.run_for(milliseconds(1));
  EXPECT_EQ(host_.took.size(), 1U);
  transport().set_smart_host({});
  send(mail_to_bo);
  world_.run_for(milliseconds(60'000));
  EXPECT_EQ(host_.took.size(), 1U) << "without a smart host it stays in the ledger";
  EXPECT_EQ(service_.sent_mail().size(), 2U);
  EXPECT_TRUE(transport().waiting().empty());
}

TEST_F(TransportTest, WhomTheSmartHostRefusesTheSenderHearsOf) {
  host_.answer = [](const std::string& line) -> std::optional<std::string> {
    if (line == "RCPT TO:<bo@else.test>") return "550-5.1.1 no such\r\n550 5.1.1 user here\r\n";
    if (line == "RCPT TO:<cleo@else.test>") return "450 4.2.1 later\r\n";
    return std::nullopt;
  };
  send(mail_to_bo, {"bo@else.test", "cleo@else.test", "dora@else.test"});
  world_.run_for(milliseconds(100));
  ASSERT_EQ(host_.took.size(), 1U);
  EXPECT_EQ(host_.took[0].to, std::vector<std::string>{"RCPT TO:<dora@else.test>"});
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_NE(inbox()[0].find("Final-Recipient: rfc822;bo@else.test"), std::string::npos) << inbox()[0];
  EXPECT_EQ(inbox()[0].find("cleo@else.test\r\nAction"), std::string::npos);
  EXPECT_EQ(service_.list(anna, "inbox")->at(0).subject, "Undeliverable: hello");
  EXPECT_EQ(transport().waiting().at(0).to, std::vector<std::string>{"cleo@else.test"}) << "only who is left";
  world_.run_for(milliseconds(120'000));
  ASSERT_EQ(inbox().size(), 2U) << "what never gets better is given up";
  EXPECT_NE(inbox()[1].find("4.4.7 Delivery expired: 450 4.2.1 later"), std::string::npos) << inbox()[1];
  EXPECT_EQ(host_.took.size(), 1U) << "dora has it once";
  EXPECT_EQ(transport().sums().returned, 2U);
}

TEST_F(TransportTest, AnUnknownColleagueIsReportedToo) {
  send(mail_to_bo, {"nobody@ours.test"});
  EXPECT_TRUE(inbox().empty()) << "not while the request is handled";
  world_.run_for(milliseconds(1));
  ASSERT_EQ(inbox().size(), 1U);
  EXPECT_NE(inbox()[0].find("550 5.1.10"), std::string::npos);
  EXPECT_EQ(host_.connections, 0U);
}

TEST_F(TransportTest, WhatTheSmartHostCannotTakeIsNotSent) {
  send("Subject: large\r\nMessage-ID: <2@ours.test>\r\n\r\n" + std::string(1100, 'x'));
  world_.run_for(milliseconds(1));
  EXPECT_EQ(inbox().size(), 1U);
  EXPECT_NE(inbox()[0].find("552 5.3.4"), std::string::npos);
  host_.offers = "250 smart.test\r\n";
  send("Subject: x\r\nMessage-ID: <3@ours.test>\r\n\r\n\xC3\xA4");
  world_.run_for(milliseconds(1));
  EXPECT_EQ(inbox().size(), 2U);
  EXPECT_NE(inbox()[1].find("554 5.6.3"), std::string::npos);
  EXPECT_TRUE(host_.took.empty());
}

TEST_F(TransportTest, AddressesThatWouldBeCommandsAreRefusedHere) {
  send(mail_to_bo, {"x@else.test&gt;&#13;&#10;RCPT TO:&lt;evil@else.test", "bo@else.test"});
  world_.run_for(milliseconds(1));
  ASSERT_EQ(host_.took.size(), 1U);
  for (const auto& command : host_.commands) EXPECT_EQ(command.find("evil"), std::string::npos) << command;
  EXPECT_EQ(inbox().size(), 1U);
}

TEST_F(TransportTest, NonsenseOfTheSmartHostLosesAndDoublesNothing) {
  const std::vector<std::pair<std::string, std::string>> nonsense = {{"EHLO", "hello\r\n"},
                                                                     {"MAIL", "354 what\r\n"},
                                                                     {"RCPT", "999 no\r\n"},
                                                                     {"DATA", "250 fine\r\n"},
                                                                     {"text", "354 more\r\n"},
                                                                     {"EHLO", "250-x\r\n550 y\r\n"},
                                                                     {"RCPT", ""},
                                                                     {"DATA", std::string(10'000, '2')}};
  for (const auto& [where, what] : nonsense) {
    SCOPED_TRACE(where + " " + what.substr(0, 20));
    host_.took.clear();
    bool said = false;
    host_.answer = [&, place = where, text = what](const std::string& line) -> std::optional<std::string> {
      if (said || !line.starts_with(place)) return std::nullopt;
      said = true;
      return text;
    };
    send(mail_to_bo);
    world_.run_for(milliseconds(30'000));
    EXPECT_TRUE(said);
    EXPECT_EQ(host_.took.size(), 1U);
    EXPECT_TRUE(transport().waiting().empty());
  }
  EXPECT_TRUE(inbox().empty());
}

TEST_F(TransportTest, ASmartHostThatHangsIsLeftAndAskedAgain) {
  settings_.idle = milliseconds(2000);
  host_.greeting = "";
  send(mail_to_bo);
  world_.run_for(milliseconds(2500));
  EXPECT_EQ(transport().waiting().at(0).attempts, 1U);
  host_.greeting = "220 smart.test\r\n";
  world_.run_for(milliseconds(2000));
  EXPECT_EQ(host_.took.size(), 1U);
}

TEST_F(TransportTest, TheQueueHasAnEnd) {
  settings_.smart_host = {"closed.test", 25};
  settings_.waiting = 3;
  for (int i = 0; i < 5; ++i) send(mail_to_bo);
  world_.run_for(milliseconds(1));
  EXPECT_EQ(transport().waiting().size(), 3U);
  EXPECT_EQ(inbox().size(), 2U);
}

TEST_F(TransportTest, StoppingEndsWhatIsUnderWay) {
  host_.greeting = "";
  send(mail_to_bo);
  world_.run_for(milliseconds(10));
  transport().stop();
  world_.run_for(milliseconds(10));
  send(mail_to_bo);
  transport_.reset();
  EXPECT_TRUE(world_.run_until_quiet(std::chrono::hours(1)));
  EXPECT_TRUE(host_.took.empty());
}

}  // namespace
}  // namespace exchange_sim
