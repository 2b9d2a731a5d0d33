// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/operations.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json/serialize.hpp>
#include <span>

#include "store/records.hpp"
#include "sync/deletes.hpp"
#include "sync/host_pause.hpp"
#include "sync/orders.hpp"
#include "sync/plan/delivery_report.hpp"
#include "sync/plan/mail_tracking.hpp"
#include "sync/plan/merge.hpp"
#include "sync/store_sink.hpp"

namespace syncline::sync {
namespace {

namespace json = boost::json;
using model::RecordKind;
using store::Operation;
using store::OperationState;
using store::Transaction;

/// What passes is waited for: as long as RFC 5321 section 4.5.4.1 asks of who sends mail.
constexpr std::chrono::days longest_wait{5};
/// After so many attempts a person is told that something waits.
constexpr int attempts_in_silence = 10;
/// So many messages are worth a second connection.
constexpr std::size_t enough_for_two_lanes = 8;
constexpr std::chrono::seconds first_pause{5};
constexpr std::chrono::minutes longest_pause{30};

/// Progress in the operation's row: durable before the driver goes on.
class StoredProgress final : public Progress {
 public:
  StoredProgress(RunContext& context, Operation& operation) : context_(context), operation_(operation) {}

  std::string_view text() const override { return operation_.progress; }

  Result<void> save(std::string text) override {
    const SystemTime at = context_.now();
    auto saved = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
      return store::save_progress(transaction, operation_.id, text, at);
    });
    if (!saved) {
      // Whatever it was, the write did not happen in our books: nothing may be sent on its strength.
      failed_ = saved.error();
      return fail(std::move(saved.error()));
    }
    operation_.progress = std::move(text);
    operation_.saved_at = at;
    operation_.state = OperationState::sent;
    return {};
  }

  SystemTime settled_after() const override {
    return operation_.saved_at.value_or(SystemTime{}) + context_.policies().sync.server_time_limit;
  }
  const std::optional<Error>& failed() const { return failed_; }

 private:
  RunContext& context_;
  Operation& operation_;
  std::optional<Error> failed_;
};

/// Stops the mailbox, not the item.
bool is_of_mailbox(const Error& error) {
  return error.retry == RetryClass::reauthenticate || error.retry == RetryClass::rediscover ||
         (error.domain == ErrorDomain::local && error.code != "no-content");
}

class Runner {
 public:
  explicit Runner(RunContext& context) : context_(context) {}

  Async<OperationsResult> run() {
    auto unfinished = context_.store.read<std::vector<Operation>>([&](Transaction& transaction) {
      return store::unfinished_operations(transaction, context_.settings.mailbox);
    });
    if (!unfinished) co_return fail(std::move(unfinished.error()));
    const bool any = !unfinished->empty();
    std::erase_if(*unfinished, [this](const Operation& operation) {
      const bool waits = operation.not_before && *operation.not_before > context_.now();
      if (waits) wait_until(*operation.not_before);
      return waits;
    });
    total_ = unfinished->size();
    for (std::span<Operation> rest(*unfinished); !rest.empty();) {
      const auto end = std::find_if_not(rest.begin(), rest.end(), is_send);
      const std::size_t together = std::max<std::size_t>(1, static_cast<std::size_t>(end - rest.begin()));
      auto done = co_await carry_out_all(rest.first(together));
      if (!done) co_return fail(std::move(done.error()));
      rest = rest.subspan(together);
    }
    if (any)
      if (auto done = refresh_open_operations(context_); !done) co_return fail(std::move(done.error()));
    co_return std::move(result_);
  }

 private:
  void wait_until(SystemTime when) {
    if (!result_.next_attempt || when < *result_.next_attempt) result_.next_attempt = when;
  }

  static bool is_send(const Operation& operation) {
    return operation.what == to_string(WriteOrder::What::send);
  }

  /// One order, or messages. Of many messages two are under way at a time: while the server takes one over,
  /// the other is made.
  Async<void> carry_out_all(std::span<Operation> operations) {
    using namespace boost::asio::experimental::awaitable_operators;
    queue_ = operations;
    auto lane = carry_out_queued();
    if (operations.size() < enough_for_two_lanes || context_.driver.sends_at_once() < 2)
      co_return co_await std::move(lane);
    auto other_lane = carry_out_queued();
    auto both = std::move(lane) && std::move(other_lane);
    auto [one, other] = co_await std::move(both);
    co_return one ? std::move(other) : std::move(one);
  }

  Async<void> carry_out_queued() {
    while (!queue_.empty()) {
      Operation& operation = queue_.front();
      queue_ = queue_.subspan(1);
      context_.report("writing", "", ++at_, total_);
      auto done = co_await carry_out(operation);
      if (!done) {
        queue_ = {};
        co_return done;
      }
    }
    co_return Result<void>{};
  }

  Async<void> carry_out(Operation& operation) {
    if (is_send(operation)) {
      auto may = co_await keep_rate();
      if (!may) co_return fail(std::move(may.error()));
      if (!*may) co_return Result<void>{};
    }
    auto stored = read_order(operation);
    if (!stored) co_return fail(std::move(stored.error()));
    StoredProgress progress(context_, operation);
    const OpenContent open = [this](std::string_view sha256) -> Result<std::unique_ptr<ContentSource>> {
      auto reader = context_.content.open_content(sha256);
      if (!reader) return fail(std::move(reader.error()));
      return std::make_unique<StoreSource>(std::move(*reader));
    };
    const bool resumed = !operation.progress.empty();
    ++operation.attempts;
    auto applied = co_await context_.driver.apply(stored->order, progress, open);
    if (progress.failed()) co_return fail(*progress.failed());
    // Of one message after the other the end of each is on the disk with the beginning of the next: half the
    // waiting, and a power failure in between finds what it finds when the answer was lost.
    const bool more_follow = applied && stored->order.what == WriteOrder::What::send && !queue_.empty();
    auto written = context_.store.write<void>(
        [&](Transaction& transaction) -> Result<void> {
          return applied ? finish(transaction, operation, *stored, *applied, resumed)
                         : give_up_or_wait(transaction, operation, *stored, applied.error());
        },
        more_follow ? store::Durability::with_the_next : store::Durability::at_once);
    if (!written) co_return fail(std::move(written.error()));
    if (applied) ++result_.done;
    if (!applied && is_of_mailbox(applied.error())) co_return fail(std::move(applied.error()));
    co_return Result<void>{};
  }

  /// Not more messages a minute than the policy says; those of the runs before count too. False: this one is
  /// for a later run, which is where a run does not wait and others have their turn meanwhile.
  Async<bool> keep_rate() {
    const auto per_minute = static_cast<std::size_t>(std::max(1, context_.policies().mail.send_per_minute));
    if (!context_.sent_at) {
      auto before = context_.store.read<std::vector<SystemTime>>([&](Transaction& transaction) {
        return store::attempts_since(transaction, context_.settings.mailbox,
                                     to_string(WriteOrder::What::send),
                                     context_.now() - std::chrono::minutes(1));
      });
      if (!before) co_return fail(std::move(before.error()));
      context_.sent_at = std::move(*before);
    }
    std::vector<SystemTime>& sent_at = *context_.sent_at;
    if (sent_at.size() >= per_minute) {
      const SystemTime free = sent_at[sent_at.size() - per_minute] + std::chrono::minutes(1);
      if (free > context_.now() && !context_.options.settle) {
        wait_until(free);
        co_return false;
      }
      if (free > context_.now()) {
        const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(free - context_.now());
        auto slept = co_await context_.surroundings.sleep(pause);
        if (!slept) co_return fail(std::move(slept.error()));
      }
    }
    sent_at.push_back(context_.now());
    co_return true;
  }

  Result<void> finish(Transaction& transaction, Operation& operation, const StoredOrder& stored,
                      const Applied& applied, bool resumed) {
    const WriteOrder& order = stored.order;
    operation.state = OperationState::done;
    operation.error.clear();
    operation.result_id = applied.item.id;
    Result<void> done = no_longer_delayed(transaction, operation);
    if (!done) return done;
    switch (order.what) {
      case WriteOrder::What::create:
        done = created(transaction, operation, stored, applied, resumed);
        break;
      case WriteOrder::What::update:
        done = updated(transaction, operation, stored, applied, resumed);
        break;
      case WriteOrder::What::remove:
        done = removed(transaction, operation, order);
        break;
      case WriteOrder::What::send:
        done = sent(transaction, operation, order, applied);
        break;
    }
    if (!done) return done;
    for (const RemoteRef& copy : applied.copies)
      if (done = remove_copy(transaction, order, copy); !done) return done;
    if (!applied.remark.empty()) {
      // What a driver remarks of an appointment is that its series is not the record's (invariant 12).
      const bool differs = order.kind == RecordKind::appointment;
      if (differs) ++context_.summary.of(order.kind).conflicts;
      if (done = note(context_, transaction, applied.item.id, operation.record,
                      {.event = differs ? "conflict" : "remark",
                       .reason = differs ? "recurrence" : "",
                       .text = applied.remark});
          !done)
        return done;
    }
    return store::update_operation(transaction, operation);
  }

  Result<void> created(Transaction& transaction, Operation& operation, const StoredOrder& stored,
                       const Applied& applied, bool resumed) {
    ++context_.summary.of(stored.order.kind).went;
    auto linked = store::insert_link(transaction, {.record = operation.record,
                                                   .mailbox = operation.mailbox,
                                                   .kind = stored.order.kind,
                                                   .folder = folder_of(stored.order),
                                                   .remote_id = applied.item.id,
                                                   .remote_version = applied.item.version,
                                                   .record_version = stored.record_version,
                                                   .base = stored.order.fields});
    if (!linked) return fail(std::move(linked.error()));
    operation.link = linked->id;
    // What the server made of it is not in `fields`: a meeting's UID, a task's per cent; nor what happened to
    // it between a lost reply and now.
    if (resumed || stored.order.kind != RecordKind::email)
      if (auto done = look_again_at(transaction, linked->id); !done) return done;
    return note(context_, transaction, applied.item.id, operation.record,
                {.event = "created", .reason = stored.order.mail_attendees ? "attendees-mailed" : ""});
  }

  /// Known to the store together with the write: a stop in between must not lose what the server made of it.
  Result<void> look_again_at(Transaction& transaction, store::LinkId link) {
    result_.look_again.push_back(link);
    context_.touched_links.insert(link);
    return keep_touched(context_, transaction);
  }

  std::string folder_of(const WriteOrder& order) const {
    if (!order.folder_id.empty()) return order.folder_id;
    for (const RemoteFolder& folder : context_.folders)
      if (folder.kind == order.kind && folder.role != FolderRole::other && order.kind != RecordKind::email)
        return folder.id;
    return {};
  }

  Result<void> updated(Transaction& transaction, const Operation& operation, const StoredOrder& stored,
                       const Applied& applied, bool resumed) {
    ++context_.summary.of(stored.order.kind).changed_there;
    auto link = store::find_link(transaction, operation.link);
    if (!link) return fail(std::move(link.error()));
    if (*link) {
      (*link)->base = plan::patched(stored.order.kind, std::move((*link)->base), stored.order.fields);
      (*link)->remote_version = applied.item.version;
      if (!applied.item.id.empty()) (*link)->remote_id = applied.item.id;
      (*link)->record_version = stored.record_version;
      if (auto done = store::update_link(transaction, **link); !done) return done;
      // Fields change each other on the server: a task that is completed is so to 100 per cent.
      if (resumed || stored.order.kind != RecordKind::email || context_.touched_links.contains((*link)->id))
        if (auto done = look_again_at(transaction, (*link)->id); !done) return done;
    }
    json::array names;
    for (const auto& field : stored.order.fields) names.push_back(json::value(field.key()));
    return note(context_, transaction, applied.item.id, operation.record,
                {.event = "updated",
                 .reason = stored.order.mail_attendees ? "attendees-mailed" : "",
                 .detail = json::serialize(names)});
  }

  Result<void> removed(Transaction& transaction, const Operation& operation, const WriteOrder& order) {
    auto link = store::find_link(transaction, operation.link);
    if (!link) return fail(std::move(link.error()));
    if (*link) {
      (*link)->state = store::LinkState::unlinked;
      if (auto done = store::update_link(transaction, **link); !done) return done;
      ++context_.summary.of(order.kind).removed_there;
    }
    return note(context_, transaction, order.item.id, operation.record,
                {.event = "removed",
                 .reason = operation.link == 0    ? "duplicate"
                           : order.mail_attendees ? "attendees-mailed"
                                                  : ""});
  }

  Result<void> sent(Transaction& transaction, const Operation& operation, const WriteOrder& order,
                    const Applied& applied) {
    ++context_.summary.of(RecordKind::email).went;
    auto record = store::find_record(transaction, operation.record, true);
    if (!record) return fail(std::move(record.error()));
    if (*record) {
      model::Record changed = std::move(**record);
      changed.fields["statusCode"] = "sent";
      changed.fields.erase("statusReason");
      changed.fields["subject"] =
          order.fields.contains("subject") ? order.fields.at("subject") : json::value("");
      if (!applied.sent_message_id.empty()) changed.fields["internetMessageId"] = applied.sent_message_id;
      json::object states;
      for (const char* list : {"toRecipients", "ccRecipients", "bccRecipients"})
        if (const json::value* people = changed.fields.if_contains(list);
            people != nullptr && people->is_array())
          for (const json::value& person : people->get_array())
            if (const json::value* address =
                    person.is_object() ? person.get_object().if_contains("emailAddress") : nullptr;
                address != nullptr && address->is_string())
              plan::recipient_state(states, address->get_string()) = "accepted";
      for (const std::string& address : applied.refused_recipients)
        plan::recipient_state(states, address) = "failed";
      changed.fields["recipientStates"] = std::move(states);
      auto updated = store::update_record(transaction, std::move(changed));
      if (!updated) return fail(std::move(updated.error()));
      if (!applied.item.id.empty()) {
        auto there = store::find_link(transaction, operation.mailbox, applied.item.id);
        if (!there) return fail(std::move(there.error()));
        if (!*there) {
          auto linked = store::insert_link(transaction, {.record = operation.record,
                                                         .mailbox = operation.mailbox,
                                                         .kind = RecordKind::email,
                                                         .folder = sent_folder(),
                                                         .remote_id = applied.item.id,
                                                         .remote_version = applied.item.version,
                                                         .record_version = updated->version});
          if (!linked) return fail(std::move(linked.error()));
        }
      }
    }
    return note(context_, transaction, applied.item.id, operation.record, {.event = "sent"});
  }

  std::string sent_folder() const {
    for (const RemoteFolder& folder : context_.folders)
      if (folder.role == FolderRole::sent) return folder.id;
    return {};
  }

  /// Of two items with one operation id the younger is deleted (invariant 6).
  Result<void> remove_copy(Transaction& transaction, const WriteOrder& made, const RemoteRef& copy) {
    WriteOrder order{
        .what = WriteOrder::What::remove, .kind = made.kind, .folder_id = made.folder_id, .item = copy};
    wait_until(context_.now());
    return enqueue(context_, transaction, std::move(order), 0, 0);
  }

  Result<void> give_up_or_wait(Transaction& transaction, Operation& operation, const StoredOrder& stored,
                               const Error& error) {
    operation.error = error.describe();
    if (error.code == "needs-person") return to_person(transaction, operation, stored, error);
    if (error.code == "conflict" || error.code == "gone") {
      operation.state = OperationState::refused;
      if (auto done = store::update_operation(transaction, operation); !done) return done;
      if (auto done = note(context_, transaction, stored.order.item.id, operation.record,
                           {.event = "overtaken", .reason = error.code});
          !done)
        return done;
      if (error.code == "conflict") {
        return operation.link != 0 ? look_again_at(transaction, operation.link) : Result<void>{};
      }
      auto link = store::find_link(transaction, operation.link);
      if (!link) return fail(std::move(link.error()));
      if (!*link) return {};
      context_.busy_links.erase(operation.link);
      return hold_delete(context_, transaction, std::move(**link));
    }
    if (is_of_mailbox(error)) {
      // Says nothing of this write: it is as it was when the mailbox is let in again.
      --operation.attempts;
      return store::update_operation(transaction, operation);
    }
    const bool passing = error.retry == RetryClass::after || error.retry == RetryClass::now ||
                         error.retry == RetryClass::resync;
    if (!passing || context_.now() - operation.created_at > longest_wait)
      return refuse(transaction, operation, stored, error);
    if (error.code == "uncertain") operation.state = OperationState::uncertain;
    operation.not_before = context_.now() + pause_after(operation, error);
    wait_until(*operation.not_before);
    if (auto& until = context_.summary.held_back_until; wants_a_pause(error))
      until = std::max(until.value_or(SystemTime{}), *operation.not_before);
    if (operation.attempts == attempts_in_silence)
      if (auto told = delayed(transaction, operation, stored, error); !told) return told;
    return store::update_operation(transaction, operation);
  }

  static std::string delayed_alert(const Operation& operation) { return "delayed-" + operation.id; }

  Result<void> delayed(Transaction& transaction, const Operation& operation, const StoredOrder& stored,
                       const Error& error) {
    return store::raise_alert(transaction,
                              {.mailbox = operation.mailbox,
                               .level = store::AlertLevel::warning,
                               .code = delayed_alert(operation),
                               .text = std::string(to_string(stored.order.what)) + " of record " +
                                       std::to_string(operation.record) + " waits: " + error.message,
                               .remedy = "Nothing, if the server is known to be out of order: it is tried "
                                         "again for five days."});
  }

  Result<void> no_longer_delayed(Transaction& transaction, const Operation& operation) {
    if (operation.attempts < attempts_in_silence) return {};
    return store::clear_alert(transaction, operation.mailbox, delayed_alert(operation));
  }

  std::chrono::milliseconds pause_after(const Operation& operation, const Error& error) {
    if (error.retry_after && error.retry_after->count() > 0) return *error.retry_after;
    std::chrono::milliseconds pause = first_pause;
    for (int i = 1; i < operation.attempts && pause < longest_pause; ++i) pause *= 2;
    pause = std::min<std::chrono::milliseconds>(pause, longest_pause);
    const auto spread = static_cast<std::uint64_t>(pause.count() / 4 + 1);
    return pause + std::chrono::milliseconds(context_.surroundings.random.below(spread));
  }

  Result<void> refuse(Transaction& transaction, Operation& operation, const StoredOrder& stored,
                      const Error& error) {
    operation.state = OperationState::refused;
    ++context_.summary.of(stored.order.kind).refused;
    if (auto done = no_longer_delayed(transaction, operation); !done) return done;
    if (auto done = store::update_operation(transaction, operation); !done) return done;
    if (auto done = note(context_, transaction, stored.order.item.id, operation.record,
                         {.event = "refused", .reason = error.code, .text = error.message});
        !done)
      return done;
    if (stored.order.what == WriteOrder::What::send)
      if (auto done =
              mail_status(transaction, operation.record, "failed", error.message + " (" + error.code + ")");
          !done)
        return done;
    if (stored.order.what == WriteOrder::What::update) {
      // Not again before the record has another version.
      auto link = store::find_link(transaction, operation.link);
      if (!link) return fail(std::move(link.error()));
      if (*link) {
        (*link)->record_version = stored.record_version;
        if (auto done = store::update_link(transaction, **link); !done) return done;
      }
    }
    return store::raise_alert(transaction,
                              {.mailbox = operation.mailbox,
                               .level = store::AlertLevel::error,
                               .code = "refused-" + error.code,
                               .text = std::string(to_string(stored.order.what)) + " of record " +
                                       std::to_string(operation.record) + ": " + error.message,
                               .remedy = "Change the record; it is tried again with its next version."});
  }

  Result<void> to_person(Transaction& transaction, Operation& operation, const StoredOrder& stored,
                         const Error& error) {
    operation.state = OperationState::needs_person;
    ++context_.summary.needs_person;
    if (auto done = store::update_operation(transaction, operation); !done) return done;
    if (stored.order.what == WriteOrder::What::send)
      if (auto done = mail_status(transaction, operation.record, "needsPerson", error.message); !done)
        return done;
    if (auto done = note(context_, transaction, stored.order.item.id, operation.record,
                         {.event = "needs-person", .text = error.message});
        !done)
      return done;
    return store::raise_alert(transaction,
                              {.mailbox = operation.mailbox,
                               .level = store::AlertLevel::error,
                               .code = "needs-person-" + operation.id,
                               .text = "record " + std::to_string(operation.record) + ": " + error.message,
                               .remedy = "Look into the mailbox; set the record's state by hand."});
  }

  Result<void> mail_status(Transaction& transaction, model::RecordId id, std::string_view code,
                           const std::string& reason) {
    auto record = store::find_record(transaction, id, true);
    if (!record) return fail(std::move(record.error()));
    if (!*record) return {};
    (*record)->fields["statusCode"] = code;
    (*record)->fields["statusReason"] = reason;
    auto updated = store::update_record(transaction, std::move(**record));
    if (!updated) return fail(std::move(updated.error()));
    return {};
  }

  RunContext& context_;
  OperationsResult result_;
  std::span<Operation> queue_;  ///< of those under way together: the ones not yet begun
  std::uint64_t at_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Async<OperationsResult> run_operations(RunContext& context) {
  Runner runner(context);
  co_return co_await runner.run();
}

}  // namespace syncline::sync
