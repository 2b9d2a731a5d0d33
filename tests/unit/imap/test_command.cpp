// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/command.hpp"

#include <gtest/gtest.h>

namespace syncline::imap {
namespace {

/// As it goes over the wire, literals announced with "{n}".
std::string wire(Command& command) {
  std::string out;
  for (const Command::Piece& piece : command.pieces()) {
    out += piece.text;
    if (piece.has_literal) out += "{" + std::to_string(piece.octets) + "}\r\n" + piece.literal;
  }
  return out;
}

TEST(Command, QuotesWhatCanBeQuoted) {
  Command command("SELECT");
  command.string("a \"b\" \\c").word("(CONDSTORE)");
  EXPECT_EQ(wire(command), "SELECT \"a \\\"b\\\" \\\\c\" (CONDSTORE)");
}

TEST(Command, ALineEndCannotBecomeASecondCommand) {
  for (const std::string& bad :
       {std::string("x\r\na2 DELETE INBOX"), std::string("x\n"), std::string("x\r")}) {
    Command command("SELECT");
    command.string(bad);
    const std::string out = wire(command);
    EXPECT_EQ(out, "SELECT {" + std::to_string(bad.size()) + "}\r\n" + bad);
    EXPECT_TRUE(command.check());
  }
  Command nul("SELECT");
  nul.string(std::string_view("a\0b", 3));
  EXPECT_EQ(nul.check().error().code, "bad-text");
}

TEST(Command, WhatIsLongOrNotAsciiGoesAsALiteral) {
  Command command("SEARCH");
  command.string("h\xC3\xA4").string(std::string(2000, 'a'));
  EXPECT_EQ(wire(command), "SEARCH {3}\r\nh\xC3\xA4 {2000}\r\n" + std::string(2000, 'a'));
}

TEST(Command, NoBlankStandsBehindAnOpenParenthesis) {
  Command command("ID (");
  command.string("name").string("x").raw(")");
  EXPECT_EQ(wire(command), "ID (\"name\" \"x\")");
}

TEST(Command, ASecretMarksIt) {
  Command command("LOGIN");
  EXPECT_FALSE(command.is_secret());
  command.secret(Secret(std::string_view("me"))).secret(Secret(std::string_view("p\"w")));
  EXPECT_TRUE(command.is_secret());
  EXPECT_EQ(command.name(), "LOGIN");
  EXPECT_EQ(wire(command), "LOGIN \"me\" \"p\\\"w\"");
}

TEST(Flags, OnlyWhatTheGrammarAllows) {
  for (const char* flag : {"\\Seen", "$Forwarded", "Junk", "a.b-c"}) EXPECT_TRUE(is_flag(flag)) << flag;
  for (const char* flag : {"", "\\", "a b", "a)", "(a", "a\r\nb", "a\"", "\\*", "a{", "h\xC3\xA4", "a]"})
    EXPECT_FALSE(is_flag(flag)) << flag;
}

}  // namespace
}  // namespace syncline::imap
