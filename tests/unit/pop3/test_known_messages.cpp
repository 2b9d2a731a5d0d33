// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "routing/pop3/driver/header_hash.hpp"
#include "routing/pop3/driver/known_messages.hpp"

namespace syncline::pop3 {
namespace {

std::string hash_of(std::string_view message, std::size_t cut) {
  HeaderHasher hasher;
  hasher.feed(message.substr(0, cut));
  hasher.feed(message.substr(cut));
  return hasher.finish();
}

TEST(Pop3HeaderHash, IsOfTheHeaderAloneWhereverTheMessageIsCut) {
  const std::string message = "From: a\r\nSubject: x\r\n y\r\n\r\nbody\r\n\r\nmore\r\n";
  const std::string whole = hash_of(message, 0);
  EXPECT_EQ(whole.size(), header_hash_characters);
  for (std::size_t cut = 0; cut <= message.size(); ++cut) EXPECT_EQ(hash_of(message, cut), whole) << cut;
  EXPECT_EQ(hash_of("From: a\r\nSubject: x\r\n y\r\n\r\nanother body", 3), whole);
  EXPECT_EQ(hash_of("From: a\r\nSubject: x\r\n y\r\n\r\n", 3), whole) << "as TOP gives it";
  EXPECT_EQ(hash_of("From: a\nSubject: x\n y\n\nbody", 3), whole) << "line ends say nothing";
  EXPECT_NE(hash_of("From: a\r\nSubject: x\r\n z\r\n\r\nbody", 3), whole);
}

TEST(Pop3HeaderHash, FieldsThatServersChangeAreNotInIt) {
  const std::string plain = hash_of("From: a\r\nSubject: x\r\n\r\n", 0);
  EXPECT_EQ(
      hash_of("From: a\r\nStatus: RO\r\nX-UIDL: 123\r\n folded\r\nSubject: x\r\nContent-Length: 5\r\n\r\n",
              0),
      plain);
  EXPECT_NE(hash_of("From: a\r\nSubject: x\r\nX-Other: 1\r\n\r\n", 0), plain);
}

TEST(Pop3HeaderHash, AnEmptyHeaderIsOneHoweverLongTheBody) {
  EXPECT_EQ(hash_of("\r\nbody one\r\n", 1), hash_of("\r\nbody two\r\n", 5));
}

TEST(Pop3KnownMessages, ComeBackFromTheirText) {
  KnownMessages known;
  known.add({.id = "abcdefghijk12345678", .octets = 42, .uid = "u id with blanks"});
  known.add({.id = "ABCDEFGHIJK12345678.2", .octets = 0, .uid = ""});
  const auto back = KnownMessages::parse(known.text());
  ASSERT_TRUE(back);
  ASSERT_EQ(back->all().size(), 2u);
  EXPECT_EQ(back->all()[0].uid, "u id with blanks");
  EXPECT_EQ(back->all()[0].octets, 42u);
  EXPECT_EQ(back->all()[1].id, "ABCDEFGHIJK12345678.2");
  EXPECT_EQ(back->text(), known.text());
  EXPECT_EQ(KnownMessages::parse("")->all().size(), 0u);
  EXPECT_EQ(KnownMessages::parse(KnownMessages().text())->all().size(), 0u);
}

TEST(Pop3KnownMessages, AForeignTextIsACauseToBeginAgain) {
  for (const char* bad :
       {"x", "pop3 2\n", "pop3 1\nshort 1 u", "pop3 1\nabcdefghijk12345678 x u",
        "pop3 1\nabcdefghijk12345678 1", "pop3 1\nabcdefghijk12345678 -1 u", "{\"step\":1}"}) {
    const auto parsed = KnownMessages::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().retry, RetryClass::resync);
  }
}

}  // namespace
}  // namespace syncline::pop3
