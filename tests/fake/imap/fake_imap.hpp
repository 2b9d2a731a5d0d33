// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An IMAP server with a mailbox in memory, as good or as bad as a test wants it. Written from RFC 9051 and
// RFC 7162 for tests alone; it shares nothing with the client but the wire.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "tests/fake/imap/peer.hpp"

namespace syncline::imap::testing {

struct FakeMessage {
  std::uint32_t uid = 0;
  std::set<std::string> flags = {};
  std::uint64_t modseq = 0;
  std::int64_t received = 1'767'600'000;  ///< seconds since the epoch
  std::string text = {};
  std::uint64_t gmail_id = 0;
  std::string gmail_labels = {};  ///< as on the wire: "\\Inbox Work"
  bool hidden = false;            ///< counted by EXISTS alone (R-29)
  bool unreadable = false;        ///< a FETCH of its content is answered NO
};

struct FakeFolder {
  std::uint32_t uid_validity = 1;
  std::uint32_t uid_next = 1;
  std::uint64_t modseq = 10;
  std::vector<FakeMessage> messages = {};
  std::map<std::uint32_t, std::uint64_t> expunged = {};  ///< UID → mod-sequence
  std::string attributes = {};

  FakeMessage& add(std::string text, std::int64_t received = 1'767'600'000);
  void expunge(std::uint32_t uid);
  void flag(std::uint32_t uid, const std::string& flag, bool on = true);
  FakeMessage* find(std::uint32_t uid);
};

class FakeImap {
 public:
  enum class Modseq { none, condstore, qresync };
  Modseq modseq = Modseq::qresync;
  bool gmail = false;
  bool has_move = true;
  bool says_uid_next = true;
  bool forgets_vanished = false;           ///< promises QRESYNC, tells of no expunge
  std::string lies_vanished = {};          ///< says this instead: "1:26183"
  std::string lies_found = {};             ///< a SEARCH finds this: "1:4294967295"
  std::size_t most_found = 1'000'000'000;  ///< a SEARCH finds no more
  std::size_t cut_after_octets = 0;  ///< of the reply to a FETCH of content: the connection ends there, once
  std::uint64_t drop_after_commands = 0;  ///< the connection ends then, once

  bool has_uidplus = true;  ///< tells what APPEND and COPY made; removes single messages
  /// Of more_capabilities, what ENABLE takes beside QRESYNC. Until then lines with octets above 127 are
  /// refused, and folders with such names are told of in modified UTF-7, as `utf7_names` has them.
  std::set<std::string> can_enable = {};
  std::map<std::string, std::string> utf7_names = {};
  std::string more_capabilities = {};  ///< " AUTH=XOAUTH2 SASL-IR"
  /// What is told right after an IDLE has begun.
  std::function<std::string()> in_idle = {};
  /// Looked at before each line; a text is said instead of the usual answer.
  std::function<std::optional<std::string>(const std::string& tag, const std::string& command)> instead = {};
  /// Told of everything that is said.
  std::function<void(std::size_t connection, const std::string& to, std::size_t octets)> said = {};
  std::function<void(std::size_t connection, std::size_t octets)> heard = {};

  std::map<std::string, FakeFolder> folders;
  std::vector<std::string> commands;  ///< without tags
  std::uint64_t connections = 0;
  std::uint64_t open = 0;  ///< of these: now
  std::uint64_t most_open = 0;
  std::uint64_t given_whole = 0;  ///< messages

  /// On imap.example.test.
  void listen(net::testing::VirtualWorld& world, std::uint16_t port = 143, bool tls = false);
  std::size_t count(std::string_view beginning) const;

 private:
  struct Connection;
  net::asio::awaitable<void> talk(net::StreamPtr stream, std::size_t nth);
  std::optional<std::string> in_utf8(const Connection& connection, std::string line) const;
  std::string answer(Connection& connection, const std::string& tag, const std::string& line);
  std::string select(Connection& connection, const std::string& tag, const std::string& command);
  std::string append(const std::string& tag, const std::string& command);
  std::string search(FakeFolder& folder, const std::string& command);
  std::string fetch(FakeFolder& folder, const std::string& command, bool by_uid, bool& refused);
};

}  // namespace syncline::imap::testing
