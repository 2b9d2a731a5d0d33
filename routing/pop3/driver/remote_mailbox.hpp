// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A POP3 mailbox with names that last: message numbers live for one session, unique-ids are re-used, change
// or do not exist. Here each message gets an id of its own, and messages come into the spool by it.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "routing/pop3/driver/header_hash.hpp"
#include "routing/pop3/driver/known_messages.hpp"
#include "routing/pop3/driver/spool.hpp"
#include "routing/pop3/session.hpp"

namespace syncline::pop3 {

struct MailboxSettings {
  SessionSettings session = {};
  Login login = {};
  std::string spool_folder = {};  ///< empty: the system's for temporary files
  std::uint64_t most_message_octets = std::uint64_t{256} << 20;
  std::uint64_t spool_octets = std::uint64_t{64} << 20;  ///< fetched at once, unless one message is larger
};

/// Not for several coroutines at once. A session that breaks is opened anew by whoever needs it next.
class RemoteMailbox {
 public:
  RemoteMailbox(net::Environment& environment, MailboxSettings settings);

  struct Entry {
    std::uint32_t number = 0;
    std::uint64_t octets = 0;
    std::string uid = {};          ///< empty: none, or not one of its own
    std::string header_hash = {};  ///< empty: not asked for yet
    std::string id = {};           ///< empty: not known yet, or new
  };

  /// A new session, and what is in the mailbox now.
  net::Async<void> reopen();
  /// The session that there is, if it still works.
  net::Async<void> ensure_open();
  /// Gives entries the ids they are known under; `vanished` are those that are not in the mailbox any more.
  /// Asks for headers only where unique-ids say too little: of what looks new and has the size of something
  /// that vanished, and, as a sample, of the oldest and the newest message.
  net::Async<std::vector<KnownMessage>> recognise(const KnownMessages& known);
  /// The last recognise() found the mailbox exactly as it was known.
  bool unchanged() const noexcept { return unchanged_; }
  /// Every entry gets an id.
  net::Async<void> identify_all();

  /// Fetches entries into the spool, whole or their headers, in their order; gives new ones their ids. What
  /// the server refuses is in `refused` afterwards, under its id.
  net::Async<void> fetch(std::vector<std::size_t> entries, bool header_only);
  /// The entry's place; nullopt: it is not in the mailbox.
  net::Async<std::optional<std::size_t>> find(std::string id);
  /// Whether the entry still is the message of this id, by its header.
  net::Async<bool> is_same(std::size_t entry, std::string id);
  /// Deletes, and commits that by ending the session. Error "uncertain" (after): no answer to QUIT.
  net::Async<void> remove(std::size_t entry);
  net::Async<void> close();

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  Spool& spool() noexcept { return spool_; }
  const std::unordered_map<std::string, Error>& refused() const noexcept { return refused_; }
  bool is_open() const noexcept { return session_ != nullptr && session_->usable(); }
  bool recent_mode() const noexcept { return recent_mode_; }
  bool has_top() const;
  std::uint64_t commands() const noexcept;
  const MailboxSettings& settings() const noexcept { return settings_; }

 private:
  class Receiver;
  net::Async<void> open_session();
  net::Async<void> read_listing();
  net::Async<void> ask_headers(std::vector<std::size_t> entries);
  void give_id(std::size_t place);
  bool is_as_known(const KnownMessages& known);
  void forget_doubled_uids();
  net::Async<bool> sample_agrees();

  net::Environment& environment_;
  MailboxSettings settings_;
  std::unique_ptr<Session> session_;
  std::vector<Entry> entries_;  ///< in the order of their numbers: oldest first
  std::unordered_map<std::string, std::size_t> by_id_;
  /// (size, uid) → id of all that was seen in this object's life: survives a new session.
  std::unordered_map<std::string, std::string> names_;
  std::unordered_map<std::string, Error> refused_;
  Spool spool_;
  std::optional<SteadyTime> signed_in_at_;
  std::optional<std::chrono::seconds> login_delay_;
  std::uint64_t earlier_commands_ = 0;
  bool recent_mode_ = false;
  bool unchanged_ = false;
};

}  // namespace syncline::pop3
