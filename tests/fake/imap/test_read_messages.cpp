// SPDX-License-Identifier: GPL-3.0-or-later
// Messages are read on a thread of their own while the next arrive.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/serialize.hpp>
#include <future>

#include "routing/imap/driver/read_messages.hpp"

namespace syncline::imap {
namespace {

struct Came {
  std::map<Uid, std::string> items;
  std::map<std::string, KeptContent> kept;
};

std::string letter(int number, std::size_t body, std::size_t attached) {
  const std::string n = std::to_string(number);
  return "From: Bob <bob@example.test>\r\nTo: anna@example.test\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_" + n +
         "?=\r\nMessage-ID: <m" + n +
         "@example.test>\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
         "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nfr\xFCh " +
         std::string(body, 'x') +
         "\r\n--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
         "Content-Disposition: attachment\r\n\r\n" +
         std::string(attached, static_cast<char>('a' + number % 26)) + "\r\n--b--\r\n";
}

FetchReply reply_of(Uid uid, bool streamed) {
  FetchReply reply;
  reply.uid = uid;
  reply.flags = std::vector<std::string>(uid % 3 == 0 ? 1 : 0, "\\Seen");
  reply.size = 1000 + uid;
  reply.sections = {{.name = "BODY[]", .value = std::nullopt, .streamed = streamed}};
  return reply;
}

/// As the session tells it: the literal in pieces, then the reply.
void arrive(ReadMessages& reader, Uid uid, std::string_view octets) {
  ASSERT_TRUE(reader.on_literal_start({.uid = 0, .section = "BODY[]", .octets = octets.size()}));
  for (std::size_t at = 0; at < octets.size(); at += 4093)
    ASSERT_TRUE(reader.on_literal_data(octets.substr(at, 4093)));
  ASSERT_TRUE(reader.on_literal_end());
  Reply reply = reply_of(uid, true);
  ASSERT_TRUE(reader.on_reply(reply));
}

void fetch(ReadMessages& reader) {
  for (int i = 1; i <= 400; ++i) {
    const std::size_t body = i % 50 == 0 ? 300'000 : static_cast<std::size_t>(i) * 13 % 9000;
    const std::string octets = letter(i, body, static_cast<std::size_t>(i) * 37 % 20'000);
    if (i % 7 == 0) {
      Reply quoted = reply_of(static_cast<Uid>(i), false);
      std::get<FetchReply>(quoted).sections.front().value = octets;
      ASSERT_TRUE(reader.on_reply(quoted));
    } else {
      arrive(reader, static_cast<Uid>(i), octets);
    }
    // What no one asked for: flags of another message, and one without content.
    Reply flags = FetchReply{.uid = 9000, .flags = std::vector<std::string>{"\\Seen"}};
    ASSERT_TRUE(reader.on_reply(flags));
  }
  Reply nothing = reply_of(401, false);
  ASSERT_TRUE(reader.on_reply(nothing));
}

Came play(const std::shared_ptr<auth::BlockingPool>& thread, bool as_received) {
  Came came;
  ReadMessages reader(
      {.folder = "INBOX", .uid_validity = 7, .keep_as_received = as_received, .keep_most_octets = 200'000},
      [&](std::string id, KeptContent content) { came.kept[id] = std::move(content); }, thread);
  net::asio::io_context loop;
  auto settled = net::asio::co_spawn(
      loop,
      [&]() -> Async<void> {
        fetch(reader);
        co_return co_await reader.settle();
      },
      net::asio::use_future);
  loop.run();
  EXPECT_TRUE(settled.get());
  for (const auto& [uid, item] : reader.items())
    came.items[uid] = item ? item->ref.id + " " + item->ref.version + " " + item->search_key + " " +
                                 boost::json::serialize(item->fields)
                           : item.error().code;
  return came;
}

void expect_equal(const Came& one, const Came& other) {
  EXPECT_EQ(one.items, other.items);
  ASSERT_EQ(one.kept.size(), other.kept.size());
  for (const auto& [id, content] : one.kept) {
    ASSERT_TRUE(other.kept.contains(id)) << id;
    EXPECT_EQ(content.as_received, other.kept.at(id).as_received) << id;
    EXPECT_EQ(content.attachments, other.kept.at(id).attachments) << id;
  }
}

TEST(ReadMessages, OnAThreadAreWhatTheyAreWithout) {
  for (const bool as_received : {false, true}) {
    const Came in_turn = play(nullptr, as_received);
    ASSERT_EQ(in_turn.items.size(), 401U);
    EXPECT_EQ(in_turn.items.at(401), "no-content");
    EXPECT_NE(in_turn.items.at(8).find("Gr\u00FC\u00DFe 8"), std::string::npos);
    EXPECT_NE(in_turn.items.at(8).find("fr\u00FCh"), std::string::npos);
    EXPECT_EQ(in_turn.kept.size(), 392U);  // those of 300,000 octets are too large to be kept
    if (!as_received) {
      ASSERT_EQ(in_turn.kept.begin()->second.attachments.size(), 1U);
    }
    expect_equal(in_turn, play(std::make_shared<auth::BlockingPool>(0), as_received));
    expect_equal(in_turn, play(std::make_shared<auth::BlockingPool>(1), as_received));
  }
}

TEST(ReadMessages, ThatNobodyWaitsForAreReadToTheirEnd) {
  const auto thread = std::make_shared<auth::BlockingPool>(1);
  int taken = 0;
  {
    ReadMessages reader(
        {.folder = "INBOX", .uid_validity = 7}, [&](const std::string&, const KeptContent&) { ++taken; },
        thread);
    fetch(reader);
  }
  EXPECT_EQ(taken, 0);
}

}  // namespace
}  // namespace syncline::imap
