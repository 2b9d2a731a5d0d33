// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Sending through a submission server, exactly once as far as SMTP lets anybody know (invariant 6): progress
// is durable before the last octet, a lost answer is settled by the Sent folder, and a recipient who was
// accepted is never written to again.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/event.hpp"
#include "routing/smtp/driver/message.hpp"
#include "routing/smtp/driver/send_journal.hpp"
#include "routing/smtp/driver/sent_copy.hpp"
#include "routing/smtp/session.hpp"

namespace syncline::smtp {

/// Counts sessions beside those that others have with the same credential.
struct SessionPlaces {
  using Place = std::shared_ptr<void>;      ///< the right to one session; given back when dropped
  std::function<Async<Place>()> take = {};  ///< waits for it; empty: nobody counts
  std::function<Place()> try_take = {};     ///< null: it would have to be waited for
};

struct SenderSettings {
  SessionSettings session = {};
  std::string address = {};  ///< the mailbox's own: the envelope's sender, to whom reports go
  std::uint64_t messages_per_session =
      100;  ///< servers close after some number; MAILMAX of the server counts too
  std::chrono::milliseconds trust_idle =
      std::chrono::seconds(1);  ///< a session asked for no longer than that is used at once,
  std::chrono::milliseconds keep_idle = std::chrono::seconds(60);  ///< one no longer than that after a RSET
  std::chrono::milliseconds evidence_window = std::chrono::minutes(2);
  std::chrono::milliseconds evidence_pause = std::chrono::seconds(10);
  std::chrono::milliseconds copy_window = std::chrono::minutes(1);
  std::chrono::milliseconds copy_pause = std::chrono::seconds(5);
  unsigned most_tries = 8;  ///< transactions for recipients that the server puts off
  SessionPlaces places = {};
};

/// One mailbox. Up to two messages may be sent at the same time, each in a session of its own where the
/// server allows two; the Sent folder is used for one at a time.
class Sender {
 public:
  /// `environment` must outlive it.
  Sender(net::Environment& environment, SenderSettings settings, mail::ChooseSasl choose, Compose compose,
         SentFolder sent_folder);

  /// Carries out an order of WriteOrder::send; may be called again after a crash with the progress that was
  /// saved. Applied::remark names recipients that the server refused, while others were accepted. Errors
  /// (mail): "uncertain" (after): no answer came, ask again for the evidence; "needs-person" (never): there
  /// is none; "recipients-deferred" (after): the server puts somebody off; and those of compose, session,
  /// transaction and Sent folder.
  Async<sync::Applied> send(const sync::WriteOrder& order, sync::Progress& progress,
                            const sync::OpenContent& content);
  /// Ends the session in an orderly way.
  Async<void> close();
  /// Messages offered to the server so far.
  std::uint64_t requests() const noexcept { return requests_; }
  /// With SentCopies::automatic: what was learned since. It holds for the server and is worth remembering.
  std::optional<bool> server_saves_copies() const noexcept { return server_saves_; }

 private:
  struct Job {
    const sync::WriteOrder& order;
    const sync::OpenContent& content;
    SendJournal journal;
    bool resumed = false;
    std::string told_message_id = {};  ///< the server's own for the message
    SentMark mark() const;
  };

  Result<void> begin(Job& job);
  Async<void> settle(Job& job);
  Async<void> deliver(Job& job);
  Async<void> deliver_once(Job& job);
  Result<void> note_answers(Job& job, const Delivery& delivery);
  Result<void> note_results(Job& job, const Delivery& delivery);
  /// A session that is signed in and nobody else uses.
  class Lease {
   public:
    explicit Lease(Sender& sender) : sender_(&sender) { ++sender.in_use_; }
    Lease(Lease&& other) noexcept
        : session(std::move(other.session)), sender_(std::exchange(other.sender_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    std::unique_ptr<Session> session = nullptr;

   private:
    Sender* sender_;
  };
  Async<Lease> lease_session();
  bool has_place_for_another();
  Async<std::unique_ptr<Session>> rested(std::unique_ptr<Session> session);

  /// The Sent folder is another connection, which does one thing at a time.
  class FolderTurn {
   public:
    explicit FolderTurn(Sender& sender) : sender_(&sender) { sender.folder_in_use_ = true; }
    FolderTurn(FolderTurn&& other) noexcept : sender_(std::exchange(other.sender_, nullptr)) {}
    FolderTurn& operator=(FolderTurn&&) = delete;
    ~FolderTurn();

   private:
    Sender* sender_;
  };
  Async<FolderTurn> take_folder();

  Async<sync::RemoteRef> put_copy(Job& job, std::string& remark);
  Async<sync::RemoteRef> append_copy(Job& job, std::string& remark);
  /// Whether an address cannot be written in ASCII.
  bool leaves_no_choice(const Job& job) const;
  Result<Message> compose(const Job& job, ComposeWish wish);

  net::Environment& environment_;
  SenderSettings settings_;
  mail::ChooseSasl choose_;
  Compose compose_;
  SentFolder sent_folder_;
  std::vector<std::unique_ptr<Session>> idle_;
  std::size_t in_use_ = 0;
  std::vector<SessionPlaces::Place> places_;  ///< for these and the idle ones, until close()
  bool was_let_in_ = false;                   ///< the last sign-in was good
  bool one_at_a_time_ = false;                ///< the server did not let a second session in
  std::uint64_t refusals_ = 0;                ///< of who signs in
  Error refusal_;                             ///< the last of them
  net::Event session_free_;
  bool folder_in_use_ = false;
  net::Event folder_free_;
  std::optional<bool> server_saves_;  ///< SentCopies::automatic: learned
  std::uint64_t requests_ = 0;
};

}  // namespace syncline::smtp
