// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/mailbox_name.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "routing/imap/internal_date.hpp"

namespace syncline::imap {
namespace {

TEST(MailboxName, IsModifiedUtf7) {
  const std::pair<std::string_view, std::string_view> names[] = {
      {"INBOX", "INBOX"},
      {"Entw&APw-rfe", "Entwürfe"},
      {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"},
      {"a &- b", "a & b"},
      {"&2D3cHg-", "\xF0\x9F\x90\x9E"},
      {"&-", "&"},
      {"", ""},
  };
  for (const auto& [wire, name] : names) {
    EXPECT_EQ(decode_mailbox_name(wire), name);
    EXPECT_EQ(encode_mailbox_name(name), wire);
  }
}

TEST(MailboxName, WhatIsNotModifiedUtf7StaysAsItIs) {
  for (const char* name : {"&", "&abc", "&!!-", "&2D0-", "&3B4-", "a&AOQ", "&AOR-"})
    EXPECT_EQ(decode_mailbox_name(name), name);
  EXPECT_EQ(decode_mailbox_name("caf\xE9"), "caf\xEF\xBF\xBD");
}

TEST(MailboxName, EveryCharacterComesBack) {
  for (char32_t point = 0x20; point < 0x11000; point += 7) {
    if ((point >= 0xD800 && point < 0xE000) || !text::is_xml_char(point)) continue;
    std::string name = "x";
    text::append_utf8(name, point);
    name += "-&";
    ASSERT_EQ(decode_mailbox_name(encode_mailbox_name(name)), name);
  }
}

TEST(InternalDate, IsReadAndWritten) {
  EXPECT_EQ(parse_internal_date("17-Jul-1996 02:44:25 -0700")->time_since_epoch().count(), 837596665000);
  EXPECT_EQ(parse_internal_date(" 1-Jan-1970 01:00:00 +0100")->time_since_epoch().count(), 0);
  EXPECT_EQ(parse_internal_date("1-JAN-1970 00:00:00 +0000")->time_since_epoch().count(), 0);
  EXPECT_EQ(format_internal_date(SystemTime(std::chrono::milliseconds(837596665123))),
            "17-Jul-1996 09:44:25 +0000");
  EXPECT_EQ(format_search_date(SystemTime(std::chrono::milliseconds(837596665123))), "17-Jul-1996");
  for (const char* text :
       {"", "x", "31-Feb-2026 00:00:00 +0000", "17-Jul-1996 24:44:25 -0700", "17-Jux-1996 02:44:25 -0700",
        "17-Jul-1996 02:44:25", "17-Jul-1996 02:44:25 0700+", "1a-Jul-1996 02:44:25 -0700"})
    EXPECT_FALSE(parse_internal_date(text)) << text;
}

}  // namespace
}  // namespace syncline::imap
