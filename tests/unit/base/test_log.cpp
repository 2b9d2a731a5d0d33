// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.hpp"

#include <gtest/gtest.h>

namespace syncline::log {
namespace {

TEST(Log, ALineSaysWhatItIsAbout) {
  const Ids ids{.mailbox = "anna@contoso.example", .run = "17", .operation = "ab-1", .record = "42"};
  EXPECT_EQ(format_line(Format::text, Level::info, ids, "sent"),
            "[anna@contoso.example run=17 operation=ab-1 record=42] sent");
  EXPECT_EQ(format_line(Format::json, Level::info, ids, "sent"),
            R"("level":"info","mailbox":"anna@contoso.example","run":"17","operation":"ab-1",)"
            R"("record":"42","message":"sent"})");
}

TEST(Log, ALineAboutNothingHasNoIds) {
  EXPECT_EQ(format_line(Format::text, Level::warning, {}, "ready"), "ready");
  EXPECT_EQ(format_line(Format::json, Level::warning, {}, "ready"),
            R"("level":"warning","message":"ready"})");
}

TEST(Log, WhatAServerSaysCannotForgeALine) {
  const std::string said = "no\n{\"level\":\"error\"} \x1b[31m \\ \x01 \xff";
  for (const Format format : {Format::text, Format::json}) {
    const std::string line = format_line(format, Level::error, {.item = said}, said);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\xff'), std::string::npos);
  }
  const std::string line = format_line(Format::json, Level::error, {}, "say \"hi\" \\");
  EXPECT_NE(line.find(R"(\"hi\")"), std::string::npos) << line;
}

}  // namespace
}  // namespace syncline::log
