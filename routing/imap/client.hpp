// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What IMAP can do for a mailbox: folders, searches, fetches, changes. One connection, one coroutine at a
// time.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sasl.hpp"
#include "routing/imap/mailbox_name.hpp"
#include "routing/imap/session.hpp"

namespace syncline::imap {

/// How we prove who we are.
struct SignIn {
  auth::SaslIdentity identity = {};
  auth::SaslPolicy policy = {};
  std::shared_ptr<auth::BlockingPool> blocking = nullptr;
};

struct ClientSettings {
  /// Pays on a line below about 25 MB/s; on a fast one the server's deflate is the limit.
  bool compress = false;
  bool utf8 = true;     ///< UTF8=ACCEPT where offered
  bool qresync = true;  ///< CONDSTORE and QRESYNC where offered; false for servers that do not keep to them
  /// Of ID (RFC 2971); some providers want to know.
  std::vector<std::pair<std::string, std::string>> id = {{"name", "Syncline"}};
  std::size_t commands_in_flight = 4;
  std::uint64_t octets_in_flight = std::uint64_t{16} << 20;
};

class Capabilities {
 public:
  void set(const std::vector<std::string>& names);
  /// Upper case: "IDLE", "AUTH=PLAIN".
  bool has(std::string_view name) const { return names_.contains(name); }
  bool empty() const noexcept { return names_.empty(); }
  std::vector<std::string> mechanisms() const;
  bool rev2() const { return has("IMAP4REV2"); }
  bool gmail() const { return has("X-GM-EXT-1"); }
  /// What rev2 brings by itself (RFC 9051 appendix E).
  bool uidplus() const { return has("UIDPLUS") || rev2(); }
  bool move() const { return has("MOVE") || rev2(); }
  bool idle() const { return has("IDLE") || rev2(); }
  bool esearch() const { return has("ESEARCH") || rev2(); }
  bool qresync() const { return has("QRESYNC"); }
  bool condstore() const { return has("CONDSTORE") || qresync(); }

 private:
  std::set<std::string, std::less<>> names_;
};

struct Folder {
  std::string name = {};  ///< in modified UTF-7, whatever the server speaks: what other commands take
  std::string path = {};  ///< UTF-8, for people
  char delimiter = '\0';
  std::vector<std::string> attributes = {};  ///< lower case: "\sent"
  bool has(std::string_view attribute) const;
  bool selectable() const { return !has("\\noselect") && !has("\\nonexistent"); }
};

/// What a server told of one message's flags.
struct FlagState {
  Uid uid = 0;
  std::vector<std::string> flags = {};
  std::uint64_t modseq = 0;
};

struct Selected {
  std::string name = {};
  std::uint32_t uid_validity = 0;
  std::uint32_t uid_next = 0;  ///< 0: the server did not say
  std::uint64_t exists = 0;
  std::uint64_t highest_modseq = 0;  ///< 0: NOMODSEQ
  bool read_only = false;
  std::vector<std::string> flags = {};
  std::optional<std::vector<std::string>> permanent_flags = std::nullopt;  ///< not said: all
  /// Since Resume: what went, and whose flags changed.
  UidSet vanished = {};
  std::vector<FlagState> changed = {};
  bool resumed = false;  ///< the server took QRESYNC's parameters
};

/// Where we left off (QRESYNC).
struct Resume {
  std::uint32_t uid_validity = 0;
  std::uint64_t modseq = 0;
  UidSet known = {};  ///< sent if it is short
};

struct FetchBatch {
  UidSet uids = {};
  std::uint64_t octets = 0;  ///< how much is expected, for the limit in flight
};

struct Appended {
  std::uint32_t uid_validity = 0;  ///< 0: no UIDPLUS
  Uid uid = 0;
};

struct Copied {
  std::uint32_t uid_validity = 0;  ///< 0: the server does not say where
  UidSet from = {};
  UidSet to = {};
};

/// Errors of all operations: those of Session.
class Client {
 public:
  Client(net::Environment& environment, std::unique_ptr<Session> session, ClientSettings settings);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Session& session() noexcept { return *session_; }
  const Capabilities& capabilities() const noexcept { return capabilities_; }
  bool qresync_enabled() const noexcept { return qresync_; }
  bool utf8_enabled() const noexcept { return utf8_; }

  // --- beginning and end; connect() does these ---

  Async<void> greet();
  /// Error tls "no-starttls" (never) where it is not offered. The stream is the caller's to secure; then
  /// put_stream, and what the server said before counts no more.
  Async<net::StreamPtr> start_tls();
  Async<void> secured(net::StreamPtr stream);
  /// AUTHENTICATE with the strongest mechanism, LOGIN if the server has none we know. Once more where a new
  /// token may help. Errors: auth "no-mechanism"; auth::sasl_refusal; what reply_error says is passing.
  Async<void> sign_in(SignIn login, std::string host, std::uint16_t port);
  /// What comes after: capabilities, ID, ENABLE, COMPRESS.
  Async<void> settle();
  /// LOGOUT; errors do not matter any more.
  Async<void> log_out();

  // --- folders ---

  Async<std::vector<Folder>> list();
  Async<MailboxStatusReply> status(std::string name, std::string items);
  Async<void> create(std::string name);
  /// With `resume` and QRESYNC the reply brings what happened since. Error mail "gone" for one that is not.
  Async<Selected> select(std::string name, std::optional<Resume> resume = std::nullopt,
                         bool read_only = false);
  /// The selected folder, as unsolicited replies change it; nullptr: none.
  const Selected* selected() const noexcept { return selected_ ? &*selected_ : nullptr; }
  /// UIDs that VANISHED took since select(), in any reply; taken out.
  UidSet take_vanished();

  // --- messages of the selected folder ---

  /// Our own text: "UID 1:100", "SINCE 1-Feb-2026". What is searched for goes into `text`: "HEADER
  /// Message-ID".
  Async<UidSet> search(std::string criteria, std::optional<std::string> text = std::nullopt);
  /// UIDs of the messages at these places, for servers whose searches do not find everything.
  Async<UidSet> uids_at(std::uint64_t first, std::uint64_t last);
  /// One command a batch, several in flight; one outcome a batch. A refusal is the batch's own, everything
  /// else ends it all. `items`: our own text, "(UID FLAGS)". `modifier`: "(CHANGEDSINCE 17)".
  Async<std::vector<Result<void>>> fetch(std::vector<FetchBatch> batches, std::string items,
                                         ReplyHandler& handler, std::string modifier = {});
  /// Commands of at most `most_messages` messages and a length that servers take.
  static std::vector<FetchBatch> batches_of(const UidSet& uids, std::size_t most_messages,
                                            std::uint64_t octets_a_message);
  /// "+FLAGS", "-FLAGS" or "FLAGS", or Gmail's "+X-GM-LABELS". With `unchanged_since` the UIDs that had
  /// changed are given back and left alone.
  Async<UidSet> store(UidSet uids, std::string how, std::vector<std::string> flags,
                      std::optional<std::uint64_t> unchanged_since = std::nullopt);
  Async<Appended> append(std::string folder, std::vector<std::string> flags, std::optional<SystemTime> date,
                         std::uint64_t octets, ReadOctets read);
  Async<Copied> copy(UidSet uids, std::string folder);
  /// MOVE; without it COPY, \Deleted and UID EXPUNGE. Where the server has neither, the messages keep
  /// \Deleted: a plain EXPUNGE would take those of others too.
  Async<Copied> move(UidSet uids, std::string folder);
  /// UID EXPUNGE. Error mail "no-uidplus" (never).
  Async<void> expunge(UidSet uids);
  Async<void> noop();
  /// Until the folder changes (true), `until` comes or end_idle(); asks every minute where there is no IDLE.
  Async<bool> idle(SteadyTime until);
  void end_idle() { session_->end_idle(); }

 private:
  class SelectHandler;
  Async<void> ask_capabilities();
  Async<void> enable();
  Async<void> authenticate(const SignIn& login, const auth::SaslOffer& offer);
  Async<void> log_in(const SignIn& login);
  void observe(const Reply& reply);
  Async<void> run(Command command, Asked asked);
  /// A folder's name as the server is told it.
  std::string wire(const std::string& name) const;
  Async<Copied> copy_or_move(std::string verb, const UidSet& uids, const std::string& folder);

  net::Environment& environment_;
  std::unique_ptr<Session> session_;
  ClientSettings settings_;
  Capabilities capabilities_;
  std::optional<Selected> selected_;
  UidSet vanished_;
  bool announced_ = false;  ///< capabilities came with the last reply
  bool signed_in_ = false;
  bool qresync_ = false;
  bool condstore_ = false;
  bool utf8_ = false;
};

}  // namespace syncline::imap
