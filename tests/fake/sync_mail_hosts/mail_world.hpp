// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mail host in memory (IMAP or POP3, and submission), what happens in its mailbox, and an organisation that
// synchronises it, with everything between: store, heart, drivers, clients. Time is virtual.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "routing/imap/driver/imap_driver.hpp"
#include "routing/pop3/driver/pop3_driver.hpp"
#include "routing/smtp/driver/sender.hpp"
#include "tests/fake/imap/fake_imap.hpp"
#include "tests/fake/pop3/pop3_peer.hpp"
#include "tests/fake/smtp/smtp_peer.hpp"
#include "tests/support/organisation_store.hpp"

namespace syncline::sync::testing {

inline constexpr const char* anna = "anna@example.test";
inline constexpr const char* bert = "bert@example.test";

enum class Incoming : std::uint8_t { imap, pop3 };

/// Something that a server said, and where in its connection it stands.
struct Said {
  std::uint16_t port = 0;
  std::size_t connection = 0;  ///< to this port, since the world began
  std::string to;              ///< the command; "\r\n.\r\n": the end of a text
  std::uint64_t begin = 0;     ///< octets of the connection
  std::uint64_t end = 0;
};

/// A connection that ends after so many octets of one direction.
struct Cut {
  std::uint16_t port = 0;
  std::size_t connection = 0;
  std::uint64_t octets = 0;
  bool of_requests = false;  ///< of what we say; else of what we are told
};

class MailWorld {
 public:
  static constexpr std::uint16_t imap_port = 143;
  static constexpr std::uint16_t pop3_port = 110;
  static constexpr std::uint16_t smtp_port = 587;

  explicit MailWorld(Incoming incoming = Incoming::imap);

  net::testing::VirtualWorld world;
  const Incoming incoming;
  imap::testing::FakeImap imap;
  pop3::testing::Pop3Peer pop3;
  smtp::testing::SmtpPeer smtp;
  bool saves_sent_copies = false;  ///< what is submitted lies in Sent by itself

  void pass(std::chrono::milliseconds span) { world.run_for(span); }

  // --- what happens in the mailbox ---

  void deliver(std::string text);
  imap::testing::FakeFolder& folder(const std::string& name = "INBOX") { return imap.folders[name]; }
  /// By its subject; the test fails if there is none.
  imap::testing::FakeMessage& message(const std::string& folder_name, std::string_view subject);
  void move(const std::string& from, std::string_view subject, const std::string& to);
  void expunge(const std::string& from, std::string_view subject);
  /// A client that empties its POP3 mailbox took this one.
  void take(std::string_view subject);
  /// The folder gets new UIDs and a new UIDVALIDITY, as after a restore.
  void number_anew(const std::string& folder_name);

  // --- what a test sees ---

  /// Everything that was said since the last `forget`.
  const std::vector<Said>& said() const { return said_; }
  /// Octets that the servers were told on each connection since then, by port and connection.
  using Heard = std::map<std::pair<std::uint16_t, std::size_t>, std::uint64_t>;
  const Heard& heard() const { return heard_; }
  void forget() {
    said_.clear();
    heard_.clear();
  }
  void cut(std::optional<Cut> where) { cut_ = where; }
  bool was_cut() const { return was_cut_; }

  /// Messages that left: how often, by recipient and subject.
  std::map<std::string, int> mails() const;
  /// Commands so far that change something, texts that were submitted among them.
  std::size_t writes() const;
  /// Folders and what stands in them, without what a server or a sender makes by chance.
  std::string contents() const;

 private:
  void note(std::uint16_t port, std::size_t connection, const std::string& to, std::size_t octets);

  std::vector<Said> said_;
  Heard heard_;
  std::map<std::pair<std::uint16_t, std::size_t>, std::uint64_t> octets_;
  std::optional<Cut> cut_;
  bool was_cut_ = false;
  int next_pop3_uid_ = 1;
};

/// A message as it travels.
std::string mail_from(std::string_view from, std::string_view subject, std::string_view message_id,
                      std::string_view more_headers = {}, std::string_view body = "text\r\n");
/// A field of a message's header; empty: there is none.
std::string header_of(std::string_view text, std::string_view field);

class MailOrganisation : public OrganisationStore {
 public:
  explicit MailOrganisation(MailWorld& world, std::uint64_t seed = 1);

  /// One run, by a process that starts with it. Where the store stops, the process ends without a word.
  Result<MailboxSummary> run();
  /// A run that must go well.
  MailboxSummary must_run();
  /// Runs until nothing is waiting any more, with the time between that retries need.
  void settle();
  /// Two more runs: neither may write to the servers, the second one not to the store either.
  void expect_quiet();
  std::string dump();
  /// What became of messages that go out: statusCode by subject.
  std::map<std::string, std::string> states();
  /// recipientStates by subject.
  std::map<std::string, std::string> recipient_states();
  model::RecordId record_with(std::string_view subject);
  /// A message that waits to be sent.
  model::RecordId send(std::string_view subject, model::Fields more = {});

  smtp::SentCopies sent_copies = smtp::SentCopies::append;
  imap::ConnectSettings imap_connect = {};
  std::vector<std::string> warnings;  ///< of the drivers of all runs

 private:
  struct Process;
  MailWorld& world_;
};

}  // namespace syncline::sync::testing
