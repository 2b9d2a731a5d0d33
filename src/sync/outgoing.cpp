// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/outgoing.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "store/cursors.hpp"
#include "store/records.hpp"
#include "sync/deletes.hpp"
#include "sync/plan/mail_tracking.hpp"
#include "sync/plan/meeting.hpp"
#include "sync/plan/merge.hpp"
#include "sync/plan/outbound_mark.hpp"

namespace syncline::sync {
namespace {

namespace json = boost::json;
using model::Fields;
using model::RecordKind;
using model::text_of;
using store::Transaction;

constexpr int batch_rows = 500;

class Outgoing {
 public:
  Outgoing(RunContext& context, Transaction& transaction) : context_(context), transaction_(transaction) {}

  Result<std::uint64_t> run() {
    if (context_.settings.appointments_contacts_tasks)
      for (const RecordKind kind : {RecordKind::contact, RecordKind::task, RecordKind::appointment}) {
        if (auto done = changed(kind); !done) return fail(std::move(done.error()));
        if (auto done = fresh(kind); !done) return fail(std::move(done.error()));
      }
    if (context_.settings.mail_in)
      if (auto done = changed(RecordKind::email); !done) return fail(std::move(done.error()));
    if (context_.settings.mail_out)
      if (auto done = pending(); !done) return fail(std::move(done.error()));
    return made_;
  }

 private:
  /// Linked records that changed since both sides agreed.
  Result<void> changed(RecordKind kind) {
    std::vector<store::Link> removals;
    for (store::LinkId after = 0;;) {
      auto links = store::stale_links(transaction_, context_.settings.mailbox, kind, after, batch_rows);
      if (!links) return fail(std::move(links.error()));
      if (links->empty()) break;
      for (store::Link& link : *links) {
        after = std::max(after, link.id);
        if (link.state == store::LinkState::unlinked || link.state == store::LinkState::held_delete) continue;
        if (context_.busy_links.contains(link.id)) continue;
        auto record = store::find_record(transaction_, link.record, true);
        if (!record) return fail(std::move(record.error()));
        if (!*record) continue;
        if ((*record)->deleted) {
          removals.push_back(std::move(link));
          continue;
        }
        if (link.state == store::LinkState::conflict) {
          // Somebody edited the record to decide: the item is read once more, and merged with the record in
          // the lead.
          context_.touched_links.insert(link.id);
          continue;
        }
        if (auto done = change(std::move(link), **record); !done) return done;
      }
      if (links->size() < batch_rows) break;
    }
    return remove(kind, std::move(removals));
  }

  Result<void> change(store::Link link, const model::Record& record) {
    auto leaves = leaves_by_filter(link, record);
    if (!leaves) return fail(std::move(leaves.error()));
    if (*leaves) return unlink(context_, transaction_, std::move(link), "filter");
    const plan::Merge merge =
        plan::merge({.kind = link.kind, .base = link.base, .record = record.fields, .remote = link.base},
                    context_.policies());
    Fields fields = merge.to_remote;
    bool mail = false;
    if (!fields.empty() && link.kind == RecordKind::appointment) {
      const plan::MeetingDecision decision = plan::decide_meeting({.write = plan::MeetingWrite::update,
                                                                   .is_organizer = organizes(record),
                                                                   .fields = record.fields,
                                                                   .changes = fields},
                                                                  context_.policies().sync, context_.now());
      if (!decision.write) {
        fields.clear();
        if (auto done = note(context_, transaction_, link.remote_id, record.id,
                             {.event = "not-written", .reason = decision.reason});
            !done)
          return done;
      }
      mail = decision.mail;
    }
    if (fields.empty()) {
      link.record_version = record.version;
      return store::update_link(transaction_, link);
    }
    WriteOrder order{.what = WriteOrder::What::update,
                     .kind = link.kind,
                     .folder_id = link.folder,
                     .item = {.id = link.remote_id, .version = link.remote_version},
                     .fields = std::move(fields),
                     .base = link.base,
                     .mail_attendees = mail};
    return enqueue(std::move(order), record, link.id);
  }

  /// An item of ours whose record no filter wants any more is parted, not deleted (invariant 5).
  Result<bool> leaves_by_filter(const store::Link& link, const model::Record& record) {
    if (link.kind == RecordKind::email || !context_.outbound.wants_any(link.kind)) return false;
    if (context_.outbound.wants(record, context_.settings.address)) return false;
    auto operations = store::operations_of_record(transaction_, record.id);
    if (!operations) return fail(std::move(operations.error()));
    return std::any_of(operations->begin(), operations->end(), [&](const store::Operation& operation) {
      return operation.what == "create" && operation.mailbox == link.mailbox &&
             operation.result_id == link.remote_id;
    });
  }

  /// Records that were deleted here.
  Result<void> remove(RecordKind kind, std::vector<store::Link> links) {
    if (links.empty()) return {};
    const bool policy_removes = context_.policies().sync.deleted_in_record == model::DeleteRule::remove;
    if (!policy_removes || kind == RecordKind::email) {
      for (store::Link& link : links)
        if (auto done = unlink(context_, transaction_, std::move(link), "record-deleted"); !done) return done;
      return {};
    }
    auto linked = store::count_links(transaction_, context_.settings.mailbox, kind);
    if (!linked) return fail(std::move(linked.error()));
    if (brakes(context_.policies().sync, links.size(), static_cast<std::uint64_t>(*linked))) {
      auto released = brake_is_released(context_, transaction_);
      if (!released) return fail(std::move(released.error()));
      if (!*released) return pull_brake(context_, transaction_, links.size(), "among the records");
    }
    for (store::Link& link : links) {
      auto record = store::find_record(transaction_, link.record, true);
      if (!record) return fail(std::move(record.error()));
      if (!*record) continue;
      bool mail = false;
      if (kind == RecordKind::appointment) {
        const Fields none;
        const plan::MeetingDecision decision = plan::decide_meeting({.write = plan::MeetingWrite::remove,
                                                                     .is_organizer = organizes(**record),
                                                                     .fields = (*record)->fields,
                                                                     .changes = none},
                                                                    context_.policies().sync, context_.now());
        if (!decision.write || decision.reason == "not-organizer") {
          if (auto done = unlink(context_, transaction_, std::move(link), decision.reason); !done)
            return done;
          continue;
        }
        mail = decision.mail;
      }
      WriteOrder order{.what = WriteOrder::What::remove,
                       .kind = kind,
                       .folder_id = link.folder,
                       .item = {.id = link.remote_id, .version = link.remote_version},
                       .base = link.base,
                       .mail_attendees = mail};
      if (auto done = enqueue(std::move(order), **record, link.id); !done) return done;
    }
    return {};
  }

  /// Records that this mailbox does not have and its filters want: those that changed since they were last
  /// looked at, all of them when the filters changed.
  Result<void> fresh(RecordKind kind) {
    if (!context_.outbound.wants_any(kind)) return {};
    const std::string name = plan::outbound_mark(kind);
    auto known = store::find_cursor(transaction_, context_.settings.mailbox, name);
    if (!known) return fail(std::move(known.error()));
    store::Cursor cursor =
        known->value_or(store::Cursor{.mailbox = context_.settings.mailbox, .folder = name});
    const std::string version = context_.outbound.version_of(kind);
    std::int64_t sequence = plan::looked_until(cursor.text, cursor.notes, version);
    const std::int64_t before = cursor.notes == version ? sequence : -1;
    for (;;) {
      auto changes = store::changes_since(transaction_, sequence, batch_rows);
      if (!changes) return fail(std::move(changes.error()));
      for (const store::RecordChange& change : *changes) {
        sequence = change.sequence;
        auto record = store::find_record(transaction_, change.id);
        if (!record) return fail(std::move(record.error()));
        if (!*record || (*record)->kind != kind ||
            !context_.outbound.wants(**record, context_.settings.address))
          continue;
        if (auto done = create(**record); !done) return done;
      }
      if (changes->size() < batch_rows) break;
    }
    if (sequence == before) return {};
    cursor.text = std::to_string(sequence);
    cursor.notes = version;
    return store::put_cursor(transaction_, cursor);
  }

  Result<void> create(const model::Record& record) {
    auto link = store::link_of_record_in(transaction_, record.id, context_.settings.mailbox);
    if (!link) return fail(std::move(link.error()));
    if (*link) return {};
    auto operations = store::operations_of_record(transaction_, record.id);
    if (!operations) return fail(std::move(operations.error()));
    const bool under_way =
        std::any_of(operations->begin(), operations->end(), [&](const store::Operation& operation) {
          return operation.mailbox == context_.settings.mailbox && operation.what == "create" &&
                 operation.state != store::OperationState::refused &&
                 operation.state != store::OperationState::done;
        });
    if (under_way) return {};
    Fields fields = plan::for_remote(record.kind, record.fields, context_.policies());
    bool mail = false;
    if (record.kind == RecordKind::appointment) {
      // A meeting stands in the organiser's mailbox; the others get it by invitation.
      if (!organizes(record) && plan::count_attendees(record.fields) > 0)
        return note(context_, transaction_, "", record.id,
                    {.event = "not-written", .reason = "not-organizer"});
      mail = plan::decide_meeting(
                 {.write = plan::MeetingWrite::create, .fields = record.fields, .changes = fields},
                 context_.policies().sync, context_.now())
                 .mail;
    }
    WriteOrder order{.what = WriteOrder::What::create,
                     .kind = record.kind,
                     .fields = std::move(fields),
                     .mail_attendees = mail};
    return enqueue(std::move(order), record, 0);
  }

  bool organizes(const model::Record& record) const {
    return plan::organizes(record.fields, context_.settings.address);
  }

  /// E-mails that wait to be sent.
  Result<void> pending() {
    auto records = store::list_outgoing(transaction_, "pendingSend", context_.settings.owner, batch_rows);
    if (!records) return fail(std::move(records.error()));
    for (model::Record& record : *records) {
      const std::size_t recipients = count_recipients(record.fields);
      if (recipients == 0) {
        if (auto done = refuse(std::move(record), "no-recipients", "the message has no recipients"); !done)
          return done;
        continue;
      }
      if (recipients > static_cast<std::size_t>(context_.policies().mail.mass_mail_recipients)) {
        if (auto done = refuse(std::move(record), "mass-mail",
                               std::to_string(recipients) + " recipients; the limit is " +
                                   std::to_string(context_.policies().mail.mass_mail_recipients));
            !done)
          return done;
        continue;
      }
      if (const std::string name = missing_attachment(record.fields); !name.empty()) {
        if (auto done = refuse(std::move(record), "attachment-missing",
                               "the attachment " + name + " is not in the content store");
            !done)
          return done;
        continue;
      }
      Fields message = outgoing_fields(record);
      std::string send_as(person_address(record.fields, "from"));
      if (text::equals_ignore_case(send_as, context_.settings.address)) send_as.clear();
      record.fields["statusCode"] = "sending";
      if (const json::value* token = message.if_contains("trackingToken"))
        record.fields["trackingToken"] = *token;
      auto updated = store::update_record(transaction_, std::move(record));
      if (!updated) return fail(std::move(updated.error()));
      WriteOrder order{.what = WriteOrder::What::send,
                       .kind = RecordKind::email,
                       .fields = std::move(message),
                       .send_as = std::move(send_as)};
      if (auto done = enqueue(std::move(order), *updated, 0); !done) return done;
    }
    return {};
  }

  static std::string_view person_address(const Fields& fields, std::string_view name) {
    const json::value* person = fields.if_contains(name);
    return person != nullptr && person->is_object() ? text_of(person->get_object(), "emailAddress")
                                                    : std::string_view();
  }
  static std::size_t count_recipients(const Fields& fields) {
    std::size_t count = 0;
    for (const char* name : {"toRecipients", "ccRecipients", "bccRecipients"})
      if (const json::value* people = fields.if_contains(name); people != nullptr && people->is_array())
        count += people->get_array().size();
    return count;
  }

  /// The first attachment that only the server it came from has; empty: none.
  static std::string missing_attachment(const Fields& fields) {
    const json::value* list = fields.if_contains("attachments");
    if (list == nullptr || !list->is_array()) return {};
    for (const json::value& one : list->get_array())
      if (!one.is_object() || text_of(one.get_object(), "sha256").empty())
        return one.is_object() ? "\"" + std::string(text_of(one.get_object(), "name")) + "\"" : "\"\"";
    return {};
  }

  /// What is sent: the record's message, with the token by which an answer is known.
  Fields outgoing_fields(const model::Record& record) const {
    Fields message;
    for (const std::string_view name :
         {"subject", "body", "from", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "importance",
          "sensitivity", "inReplyTo", "references", "categories", "attachments"})
      if (const json::value* value = record.fields.if_contains(name); value != nullptr && !value->is_null())
        message[name] = *value;
    const model::MailPolicy& policy = context_.policies().mail;
    if (policy.use_tracking_token && !policy.token_prefix.empty()) {
      std::string subject(text_of(message, "subject"));
      std::string token = plan::token_in(subject, policy.token_prefix);
      if (token.empty()) {
        token = plan::token_of(policy.token_prefix, record.id);
        message["subject"] = subject.empty() ? token : subject + " " + token;
      }
      message["trackingToken"] = token;
    }
    return message;
  }

  Result<void> refuse(model::Record record, std::string_view code, const std::string& text) {
    const model::RecordId id = record.id;
    record.fields["statusCode"] = "failed";
    record.fields["statusReason"] = text;
    auto updated = store::update_record(transaction_, std::move(record));
    if (!updated) return fail(std::move(updated.error()));
    ++context_.summary.of(RecordKind::email).refused;
    return note(context_, transaction_, "", id, {.event = "refused", .reason = code, .text = text});
  }

  Result<void> enqueue(WriteOrder order, const model::Record& record, store::LinkId link) {
    ++made_;
    return sync::enqueue(context_, transaction_, std::move(order), record.id, link, record.version);
  }

  RunContext& context_;
  Transaction& transaction_;
  std::uint64_t made_ = 0;
};

}  // namespace

Result<std::uint64_t> plan_outgoing(RunContext& context) {
  auto made = context.store.write<std::uint64_t>(
      [&](Transaction& transaction) { return Outgoing(context, transaction).run(); });
  if (!made) return made;
  if (auto done = refresh_open_operations(context); !done) return fail(std::move(done.error()));
  return made;
}

}  // namespace syncline::sync
