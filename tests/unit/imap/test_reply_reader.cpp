// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "tests/unit/imap/transcript.hpp"

namespace syncline::imap {
namespace {

using testing::read_all;
using testing::Transcript;

/// Input, and what is to come of it.
struct Case {
  std::string_view input;
  std::string_view transcript;
};

constexpr Case cases[] = {
    {"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.\r\n",
     "status  OK [CAPABILITY|IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.\n"},
    {"* PREAUTH hello\n", "status  PREAUTH [|] hello\n"},
    {"* OK no literal here {5}\r\na1 OK done\r\n",
     "status  OK [|] no literal here {5}\nstatus a1 OK [|] done\n"},
    {"s1 NO [AUTHENTICATIONFAILED] Invalid \"credentials\"\r\n",
     "status s1 NO [AUTHENTICATIONFAILED|] Invalid \"credentials\"\n"},
    {"s2 OK\r\n", "status s2 OK [|] \n"},
    {"* OK [BADCHARSET (\"a]b\" utf-8)] text\r\n", "status  OK [BADCHARSET|(\"a]b\" utf-8)] text\n"},
    {"* OK [unfinished text\r\n", "status  OK [|] [unfinished text\n"},
    {"+ YWJj\r\n+\r\n+ \r\n", "continue YWJj\ncontinue \ncontinue \n"},
    {"* CAPABILITY imap4rev1 IDLE\r\n", "capability IMAP4REV1,IDLE\n"},
    {"* ENABLED QRESYNC\r\n", "enabled QRESYNC\n"},
    {"* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent &AOQ-\"\r\n",
     "list \\hasnochildren,\\sent / Sent &AOQ-\n"},
    {"* LIST () NIL [Gmail]/Trash\r\n", "list  - [Gmail]/Trash\n"},
    {"* LIST () \"\\\\\" {7}\r\na\"b\r\n c\r\n", "list  \\ a\"b\r\n c\n"},
    {"* LSUB () \".\" INBOX.x\r\n", "lsub  . INBOX.x\n"},
    {"* STATUS \"a b\" (MESSAGES 3 UIDNEXT 7 MAILBOXID (F1) UNSEEN 0)\r\n",
     "mailbox a b MESSAGES=3 UIDNEXT=7 UNSEEN=0\n"},
    {"* SEARCH 5 2 3 4 9 (MODSEQ 917162500)\r\n", "search 2:5,9 917162500\n"},
    {"* SEARCH\r\n* SEARCH \r\n", "search  0\nsearch  0\n"},
    {"* ESEARCH (TAG \"s3\") UID COUNT 4 ALL 10:8,2 MODSEQ 5\r\n", "esearch s3 uid 2,8:10 4 5\n"},
    {"* ESEARCH (TAG \"s4\") UID\r\n", "esearch s4 uid  0 0\n"},
    {"* FLAGS (\\Answered \\* $MDNSent)\r\n", "flags \\Answered,\\*,$MDNSent\n"},
    {"* 23 EXISTS\r\n* 1 RECENT\r\n* 7 EXPUNGE\r\n", "exists 23\nother RECENT\nexpunge 7\n"},
    {"* VANISHED (EARLIER) 1:5,300,7\r\n* VANISHED 9\r\n", "vanished earlier 1:5,7,300\nvanished 9\n"},
    {"* ID (\"name\" \"x\" \"v\" NIL)\r\n", "other ID\n"},
    {"* 12 FETCH (UID 5 FLAGS (\\Seen $x) MODSEQ (77) RFC822.SIZE 44827 INTERNALDATE \" 7-Jul-1996 02:44:25 "
     "-0700\")\r\n",
     "fetch 12 uid 5 flags \\Seen,$x modseq 77 size 44827 date 836732665\n"},
    {"* 1 FETCH (UID 9 BODY[] {11}\r\nab\r\n(\"{3}\r\n)\r\n",
     "literal 1 uid 9 BODY[] 11: ab\r\n(\"{3}\r\n\nfetch 1 uid 9 BODY[] streamed\n"},
    {"* 1 FETCH (BODY[] {0}\r\n UID 9)\r\n", "literal 1 uid 0 BODY[] 0: \nfetch 1 uid 9 BODY[] streamed\n"},
    {"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT \"FROM\")] {2}\r\nxy BODY[TEXT]<0> \"q\\\"\" RFC822 NIL)\r\n",
     "literal 1 uid 0 BODY[HEADER.FIELDS (SUBJECT \"FROM\")] 2: xy\n"
     "fetch 1 uid 0 BODY[HEADER.FIELDS (SUBJECT \"FROM\")] streamed BODY[TEXT]<0>=q\" RFC822=NIL\n"},
    {"* 2 FETCH (BINARY[1] ~{3}\r\na\n) UID 4)\r\n",
     "literal 2 uid 0 BINARY[1] 3: a\n)\nfetch 2 uid 4 BINARY[1] streamed\n"},
    {"* 2 FETCH (ENVELOPE (NIL {3}\r\n\")( ((\"a\" NIL \"b\" \"c\"))) UID 4)\r\n", "fetch 2 uid 4\n"},
    {"* 3 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"a b\" {2}\r\n)( foo) UID 8 EMAILID "
     "(M1))\r\n",
     "fetch 3 uid 8 gm 1278455344230334865 labels \\Inbox,a b,)(,foo email M1\n"},
    // Values that are not what their names promise cost only themselves.
    {"* 3 FETCH (FLAGS (a (b) c) RFC822.SIZE (x) UID 8)\r\n", "fetch 3 uid 8\n"},
    {"* 3 FETCH (UID 4294967296 FLAGS NIL)\r\n", "fetch 3 uid 0\n"},
    {"*  4   FETCH  (UID  8) \r\n", "fetch 4 uid 8\n"},
    {"\r\n* 4 EXISTS\r\n", "other \nexists 4\n"},
    {"* XFOO (a (b {1}\r\nc) \"d\")\r\n", "other XFOO\n"},
    {"* BYE [UNAVAILABLE] later\r\n", "status  BYE [UNAVAILABLE|] later\n"},
    // What is no IMAP ends the session.
    {"HTTP/1.1 400 Bad Request\r\n", "error bad-response\n"},
    {"* 3 FETCH (UID 8\r\n", "error bad-response\n"},
    {"* 3 FETCH UID 8)\r\n", "error bad-response\n"},
    {"* LIST () \"/ x\r\n", "error bad-response\n"},
    {"* SEARCH 1 x 3\r\n", "error bad-response\n"},
    {"* SEARCH 0\r\n", "error bad-response\n"},
    {"* VANISHED 1:*\r\n", "error bad-response\n"},
    {"* VANISHED 0:4\r\n", "error bad-response\n"},
    {"* 1 FETCH (BODY[] {99999999999999999999}\r\n", "error literal-too-large\n"},
    {"* 1 FETCH (BODY[] {4294967296}\r\n", "error literal-too-large\n"},
    {"* 1 FETCH (X {4294967296}\r\n", "error literal-too-large\n"},
    {"s1 BYE bye\r\n", "error bad-response\n"},
};

TEST(ReplyReader, SaysWhatTheServerSaid) {
  for (const Case& one : cases) EXPECT_EQ(read_all(one.input), one.transcript) << one.input;
}

TEST(ReplyReader, SaysTheSameHoweverTheInputIsCut) {
  for (const Case& one : cases) {
    for (std::size_t cut = 0; cut <= one.input.size(); ++cut) {
      Transcript transcript;
      transcript.feed(one.input.substr(0, cut));
      transcript.feed(one.input.substr(cut));
      ASSERT_EQ(transcript.text(), one.transcript) << one.input << " cut at " << cut;
    }
    Transcript octet_by_octet;
    for (const char& c : one.input) octet_by_octet.feed({&c, 1});
    EXPECT_EQ(octet_by_octet.text(), one.transcript) << one.input;
  }
}

TEST(ReplyReader, RepliesDoNotLeakIntoEachOther) {
  std::string all;
  std::string expected;
  for (const Case& one : cases) {
    if (one.transcript.find("error") != std::string_view::npos) continue;
    all += one.input;
    expected += one.transcript;
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, all.size()}) {
    Transcript transcript;
    for (std::size_t at = 0; at < all.size(); at += piece)
      transcript.feed(std::string_view(all).substr(at, piece));
    EXPECT_EQ(transcript.text(), expected);
  }
}

TEST(ReplyReader, AnEndlessLineIsRefusedBeforeItFillsTheMemory) {
  const Limits limits{.line_octets = 1000};
  Transcript transcript(limits);
  const std::string piece(100, 'x');
  transcript.feed("* OK ");
  std::size_t fed = 5;
  while (!transcript.failed() && fed < 100'000) {
    transcript.feed(piece);
    fed += piece.size();
  }
  EXPECT_EQ(transcript.text(), "error line-too-long\n");
  EXPECT_LE(fed, 1200U);
}

TEST(ReplyReader, ManyLiteralsInOneReplyHaveALimitTogether) {
  const Limits limits{.reply_octets = 1000, .literal_octets = 400};
  std::string input = "* LIST () NIL ";
  for (int i = 0; i < 4; ++i) input += "{300}\r\n" + std::string(300, 'y') + " ";
  EXPECT_EQ(read_all(input + "\r\n", limits), "error too-large\n");
}

TEST(ReplyReader, ALiteralThatIsKeptHasALimitOfItsOwn) {
  const Limits limits{.literal_octets = 10};
  EXPECT_EQ(read_all("* LIST () NIL {11}\r\n", limits), "error literal-too-large\n");
  EXPECT_EQ(read_all("* 1 FETCH (BODY[] {11}\r\n12345678901)\r\n", limits),
            "literal 1 uid 0 BODY[] 11: 12345678901\nfetch 1 uid 0 BODY[] streamed\n");
}

TEST(ReplyReader, AStreamedLiteralHasALimitToo) {
  const Limits limits{.streamed_octets = 10};
  EXPECT_EQ(read_all("* 1 FETCH (BODY[] {11}\r\n", limits), "error literal-too-large\n");
}

TEST(ReplyReader, ParenthesesAreCountedAndNotRecursed) {
  EXPECT_EQ(read_all("* X " + std::string(500, '(') + std::string(500, ')') + "\r\n"), "other X\n");
  EXPECT_EQ(read_all("* X " + std::string(501, '(') + std::string(501, ')') + "\r\n"), "error too-deep\n");
  const Limits deep{.depth = 1'000'000};
  EXPECT_EQ(
      read_all("* 1 FETCH (BODYSTRUCTURE " + std::string(400'000, '(') + std::string(400'000, ')') + ")\r\n",
               deep),
      "fetch 1 uid 0 structure?\n");
}

TEST(ReplyReader, PartsOfAReplyHaveALimit) {
  const Limits limits{.tokens = 100};
  std::string input = "* X";
  for (int i = 0; i < 101; ++i) input += " a";
  EXPECT_EQ(read_all(input + "\r\n", limits), "error too-large\n");
}

TEST(ReplyReader, ALargeMessageIsHandedOnInPieces) {
  ReplyReader reader{Limits{}};
  std::string_view head = "* 1 FETCH (UID 3 BODY[] {100000000}\r\n";
  ASSERT_EQ(reader.next(head).value(), ReplyReader::Step::literal_start);
  EXPECT_EQ(reader.literal().octets, 100'000'000U);
  const std::string piece(1'000'000, 'm');
  std::uint64_t got = 0;
  for (int i = 0; i < 100; ++i) {
    std::string_view input = piece;
    ASSERT_EQ(reader.next(input).value(), ReplyReader::Step::literal_data);
    EXPECT_EQ(reader.data().data(), piece.data()) << "not copied";
    got += reader.data().size();
    ASSERT_TRUE(input.empty());
  }
  EXPECT_EQ(got, 100'000'000U);
  std::string_view tail = ")\r\n";
  EXPECT_EQ(reader.next(tail).value(), ReplyReader::Step::literal_end);
  EXPECT_EQ(reader.next(tail).value(), ReplyReader::Step::reply);
}

TEST(ReplyReader, OctetsOfAnyValueDoNotUpsetIt) {
  for (int octet = 0; octet < 256; ++octet) {
    std::string input = "* LIST (\\a) \"/\" x";
    input += static_cast<char>(octet);
    input += "y\r\n* 3 EXISTS\r\n";
    const std::string text = read_all(input);
    EXPECT_TRUE(text.ends_with("exists 3\n") || text.find("error") != std::string::npos)
        << octet << " " << text;
  }
}

}  // namespace
}  // namespace syncline::imap
