// SPDX-License-Identifier: GPL-3.0-or-later
// Messages: tracked or not and why, one record for the copies of one message (invariant 14), content before
// the transaction that refers to it (invariant 2).
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "base/text.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "sync/incoming_item.hpp"
#include "sync/plan/adoption.hpp"
#include "sync/plan/merge.hpp"
#include "sync/store_sink.hpp"

namespace syncline::sync {
namespace {

namespace json = boost::json;
using model::Fields;
using model::RecordKind;
using model::text_of;
using store::Transaction;

/// S/MIME and rights-protected mail is kept as it came.
bool is_encrypted(const Fields& fields) {
  const json::value* value = fields.if_contains("isEncrypted");
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// RFC 3339 texts in UTC compare as times do.
std::string utc_text(SystemTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

/// What is kept of a message as agreed: what may still change.
Fields mail_base(const Fields& remote) {
  Fields base;
  for (const std::string_view name : {"categories", "isRead"})
    if (const json::value* value = remote.if_contains(name)) base[name] = *value;
  return base;
}

struct Correlation {
  model::RecordId record = 0;
  std::string_view by = {};
};

Result<Correlation> correlate(RunContext& context, Transaction& transaction, const Fields& message) {
  const model::MailPolicy& policy = context.policies().mail;
  const plan::ThreadKeys keys = plan::thread_keys(
      message, policy.use_tracking_token ? std::string_view(policy.token_prefix) : std::string_view());
  const std::vector<std::string> direct = plan::message_ids_in(text_of(message, "inReplyTo"));
  for (const std::string& id : keys.message_ids) {
    auto found = store::find_email_id_by_message_id(transaction, id);
    if (!found) return fail(std::move(found.error()));
    if (*found) {
      const bool in_reply_to = std::find(direct.begin(), direct.end(), id) != direct.end();
      return Correlation{.record = **found, .by = in_reply_to ? "in-reply-to" : "references"};
    }
  }
  if (!keys.token.empty()) {
    auto found = store::find_email_by_token(transaction, keys.token);
    if (!found) return fail(std::move(found.error()));
    if (*found) return Correlation{.record = (*found)->id, .by = "token"};
  }
  if (!keys.conversation.empty()) {
    auto found = store::find_email_id_by_conversation(transaction, keys.conversation);
    if (!found) return fail(std::move(found.error()));
    if (*found) return Correlation{.record = **found, .by = "conversation"};
  }
  return Correlation{};
}

/// Addresses of a message with the records that hold them; the mailbox's own address is no acquaintance.
Result<json::object> parties_of(RunContext& context, Transaction& transaction, const Fields& message,
                                bool* known_contact, bool* known_record) {
  json::object parties;
  for (const std::string& address : plan::addresses_in(RecordKind::email, message)) {
    if (address == context.settings.address) continue;
    auto contacts = store::find_by_address(transaction, address, RecordKind::contact);
    if (!contacts) return fail(std::move(contacts.error()));
    if (!contacts->empty()) {
      *known_contact = true;
      parties[address] = std::to_string(contacts->front());
      continue;
    }
    if (context.policies().mail.track != model::MailFilter::known_records || *known_record) continue;
    auto others = store::find_by_address(transaction, address);
    if (!others) return fail(std::move(others.error()));
    *known_record = *known_record || !others->empty();
  }
  return parties;
}

Result<void> decide(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                    IncomingItem& incoming, std::set<std::string, std::less<>>& tracked_in_page) {
  RemoteItem& item = incoming.item;
  plan::MailFacts facts;
  facts.folder = folder.role == FolderRole::sent ? plan::MailFolder::sent : plan::MailFolder::received;
  facts.automatic_of_ours = item.is_own_automatic_mail;
  facts.draft = folder.role == FolderRole::drafts;
  if (item.operation_id) {
    auto operation = store::find_operation(transaction, *item.operation_id);
    if (!operation) return fail(std::move(operation.error()));
    facts.own_copy = operation->has_value();
  }
  if (const auto from = context.policies().mail.process_from) {
    const std::string_view received = text_of(item.fields, "dateTimeReceived");
    facts.before_start = !received.empty() && received < utc_text(*from);
  }
  auto correlation = correlate(context, transaction, item.fields);
  if (!correlation) return fail(std::move(correlation.error()));
  facts.correlated = correlation->record != 0;
  facts.correlated_by = correlation->by;
  incoming.thread = correlation->record;
  if (!facts.correlated && !tracked_in_page.empty())
    for (const std::string& id : plan::thread_keys(item.fields, {}).message_ids)
      if (tracked_in_page.contains(id)) {
        facts.correlated = true;
        facts.correlated_by = "references";
        break;
      }
  auto parties = parties_of(context, transaction, item.fields, &facts.known_contact, &facts.known_record);
  if (!parties) return fail(std::move(parties.error()));
  if (!parties->empty()) item.fields["parties"] = std::move(*parties);
  incoming.tracking = plan::decide_tracking(facts, context.policies().mail);
  if (context.settings.kind == MailboxKind::forward && incoming.attached_id.empty())
    incoming.tracking = {.track = false, .reason = "nothing-forwarded"};
  if (incoming.tracking.track)
    if (const std::string_view id = text_of(item.fields, "internetMessageId"); !id.empty())
      tracked_in_page.emplace(id);
  return {};
}

/// A forward mailbox is sent messages as attachments: those are what is decided on, not their wrapping.
Async<void> unwrap(RunContext& context, IncomingItem& incoming) {
  const std::string id = incoming.item.ref.id;
  auto attached = co_await context.driver.attached_message(id);
  if (!attached) {
    if (!is_of_one_item(attached.error())) co_return fail(std::move(attached.error()));
    co_return Result<void>{};
  }
  if (!*attached) co_return Result<void>{};
  incoming.attached_id = std::move((*attached)->ref.id);
  incoming.item.fields = std::move((*attached)->fields);
  co_return Result<void>{};
}

/// The octets as received, into the content store; a message that the server cannot give or that is
/// over the limit stays without.
Async<void> fetch_mime(RunContext& context, IncomingItem& incoming) {
  auto writer = context.content.create();
  if (!writer) co_return fail(std::move(writer.error()));
  StoreSink sink(*writer);
  const std::string id = incoming.item.ref.id;
  const std::uint64_t most = context.policies().mail.message_limit_octets;
  Result<bool> fetched = true;
  if (incoming.attached_id.empty()) {
    fetched = co_await context.driver.fetch_mime(id, sink, most);
  } else {
    const std::string attached_id = incoming.attached_id;
    auto got = co_await context.driver.fetch_attachment(attached_id, sink, most);
    if (!got) fetched = fail(std::move(got.error()));
  }
  if (!fetched) {
    if (fetched.error().code == "gone" || fetched.error().code == "too-large" ||
        fetched.error().retry == RetryClass::quarantine) {
      incoming.item.fields["statusReason"] = fetched.error().code;
      co_return Result<void>{};
    }
    co_return fail(std::move(fetched.error()));
  }
  if (!*fetched) co_return Result<void>{};
  auto stored = context.arriving.add(std::move(*writer));
  if (!stored) co_return fail(std::move(stored.error()));
  incoming.mime = std::move(*stored);
  co_return Result<void>{};
}

/// The beginning of a message, in memory.
class BeginningSink final : public ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    const std::size_t room = plan::delivery_report_limit_octets - text_.size();
    text_.append(reinterpret_cast<const char*>(octets.data()), std::min(room, octets.size()));
    return {};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What a report on delivery says; nothing if the server cannot give its octets.
Async<void> fetch_report(RunContext& context, IncomingItem& incoming) {
  BeginningSink sink;
  const std::string id = incoming.item.ref.id;
  auto fetched = co_await context.driver.fetch_mime(id, sink, context.policies().mail.message_limit_octets);
  if (!fetched && fetched.error().code != "gone" && fetched.error().code != "too-large" &&
      fetched.error().retry != RetryClass::quarantine)
    co_return fail(std::move(fetched.error()));
  incoming.report = plan::read_delivery_report(sink.text());
  co_return Result<void>{};
}

/// Attachments one by one, where the message is not kept whole.
Async<void> fetch_attachments(RunContext& context, IncomingItem& incoming) {
  json::value* list = incoming.item.fields.if_contains("attachments");
  if (list == nullptr || !list->is_array()) co_return Result<void>{};
  for (json::value& one : list->get_array()) {
    if (!one.is_object()) continue;
    json::object& attachment = one.get_object();
    const std::string id(text_of(attachment, "id"));
    if (id.empty()) continue;
    const std::uint64_t most = context.policies().mail.attachment_limit_octets;
    auto kept = co_await keep_attachment(context, id, most);
    if (!kept) co_return fail(std::move(kept.error()));
    if (!*kept) {
      attachment["left"] = kept->error().code;
      continue;
    }
    attachment["sha256"] = (*kept)->sha256;
  }
  co_return Result<void>{};
}

/// Sets the recipients' states on the record of the message that is reported on.
Result<void> put_report(RunContext& context, Transaction& transaction, const IncomingItem& incoming) {
  model::RecordId id = incoming.thread;
  if (!incoming.report.original_message_id.empty()) {
    auto found = store::find_emails_by_message_id(transaction, incoming.report.original_message_id);
    if (!found) return fail(std::move(found.error()));
    for (const model::Record& record : *found)
      if (text_of(record.fields, "direction") == "outgoing") id = record.id;
  }
  auto record = store::find_record(transaction, id);
  if (!record) return fail(std::move(record.error()));
  if (!*record || text_of((*record)->fields, "direction") != "outgoing") return {};
  json::object states;
  if (const json::value* known = (*record)->fields.if_contains("recipientStates");
      known != nullptr && known->is_object())
    states = known->get_object();
  std::string text;
  for (const plan::RecipientReport& recipient : incoming.report.recipients) {
    states[recipient.address] =
        recipient.status.empty() ? recipient.state : recipient.state + " " + recipient.status;
    text += (text.empty() ? "" : ", ") + recipient.address + " " + recipient.state;
  }
  const json::value* before = (*record)->fields.if_contains("recipientStates");
  if (before != nullptr && *before == states) return {};
  (*record)->fields["recipientStates"] = std::move(states);
  auto updated = store::update_record(transaction, std::move(**record));
  if (!updated) return fail(std::move(updated.error()));
  return note(context, transaction, incoming.item.ref.id, updated->id,
              {.event = "delivery-report", .text = text});
}

/// Of a queue whose mail is deleted once it is processed: the operation that removes it.
Result<void> remove_processed(RunContext& context, Transaction& transaction, const IncomingItem& incoming,
                              const store::Link& link) {
  if (context.settings.kind != MailboxKind::queue || !context.policies().mail.delete_after_processing)
    return {};
  WriteOrder order{.what = WriteOrder::What::remove,
                   .kind = RecordKind::email,
                   .folder_id = link.folder,
                   .item = incoming.item.ref};
  return enqueue(context, transaction, std::move(order), link.record, link.id);
}

Result<void> journal_untracked(RunContext& context, Transaction& transaction, const IncomingItem& incoming) {
  const json::object detail{{"subject", text_of(incoming.item.fields, "subject")},
                            {"internetMessageId", text_of(incoming.item.fields, "internetMessageId")}};
  return note_untracked(context, transaction, RecordKind::email, incoming.item.ref.id,
                        incoming.tracking.reason, json::serialize(detail));
}

store::Link new_link(RunContext& context, const RemoteFolder& folder, const IncomingItem& incoming,
                     const model::Record& record) {
  return {.record = record.id,
          .mailbox = context.settings.mailbox,
          .kind = RecordKind::email,
          .folder = folder.id,
          .remote_id = incoming.item.ref.id,
          .remote_version = incoming.item.ref.version,
          .search_key = incoming.item.search_key,
          .record_version = record.version,
          .base = mail_base(incoming.item.fields)};
}

Result<void> put_linked(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                        const IncomingItem& incoming, const model::Record& record, Line line) {
  auto linked = store::insert_link(transaction, new_link(context, folder, incoming, record));
  if (!linked) return fail(std::move(linked.error()));
  if (auto done = remove_processed(context, transaction, incoming, *linked); !done) return done;
  return note(context, transaction, incoming.item.ref.id, record.id, std::move(line));
}

/// A record that is the same message: equal Message-ID and equal fingerprint.
Result<std::optional<model::Record>> same_message(Transaction& transaction, const Fields& message,
                                                  std::string_view print, bool* other_under_id) {
  const std::string_view id = text_of(message, "internetMessageId");
  if (id.empty()) return std::nullopt;
  auto candidates = store::find_emails_by_message_id(transaction, id);
  if (!candidates) return fail(std::move(candidates.error()));
  for (model::Record& candidate : *candidates) {
    const std::string_view theirs = text_of(candidate.fields, "fingerprint");
    if (theirs == print) return std::optional<model::Record>(std::move(candidate));
    // A message of ours has no fingerprint before its copy in Sent Items was seen.
    if (theirs.empty() && text_of(candidate.fields, "direction") == "outgoing")
      return std::optional<model::Record>(std::move(candidate));
    *other_under_id = true;
  }
  return std::nullopt;
}

/// The record of the operation that made this item.
Result<std::optional<model::Record>> record_of_operation(Transaction& transaction, const RemoteItem& item) {
  if (!item.operation_id) return std::nullopt;
  auto operation = store::find_operation(transaction, *item.operation_id);
  if (!operation) return fail(std::move(operation.error()));
  if (!*operation || (*operation)->record == 0) return std::nullopt;
  return store::find_record(transaction, (*operation)->record);
}

}  // namespace

Async<void> prepare_messages(RunContext& context, const RemoteFolder& folder,
                             std::vector<IncomingItem>& items) {
  if (context.settings.kind == MailboxKind::forward)
    for (IncomingItem& incoming : items) {
      if (incoming.item.opaque) continue;
      auto unwrapped = co_await unwrap(context, incoming);
      if (!unwrapped) co_return unwrapped;
    }
  // Older ones first, so that an answer finds what it answers in the same page.
  std::vector<IncomingItem*> by_age;
  by_age.reserve(items.size());
  for (IncomingItem& incoming : items) by_age.push_back(&incoming);
  std::stable_sort(by_age.begin(), by_age.end(), [](const IncomingItem* a, const IncomingItem* b) {
    return text_of(a->item.fields, "dateTimeReceived") < text_of(b->item.fields, "dateTimeReceived");
  });
  auto decided = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    std::set<std::string, std::less<>> tracked_in_page;
    for (IncomingItem* incoming : by_age) {
      if (incoming->item.opaque) continue;
      auto linked = is_linked(context, transaction, *incoming);
      if (!linked) return fail(std::move(linked.error()));
      if (*linked || incoming->known_is_gone) continue;
      if (auto done = decide(context, transaction, folder, *incoming, tracked_in_page); !done) return done;
    }
    return {};
  });
  if (!decided) co_return fail(std::move(decided.error()));
  std::vector<IncomingItem*> without_body;
  for (IncomingItem& incoming : items)
    if (incoming.tracking.track && incoming.attached_id.empty() && !incoming.item.fields.contains("body") &&
        !is_encrypted(incoming.item.fields))
      without_body.push_back(&incoming);
  if (!without_body.empty()) {
    std::vector<std::string> ids;
    for (const IncomingItem* incoming : without_body) ids.push_back(incoming->item.ref.id);
    auto read = co_await context.driver.read(RecordKind::email, ids, true);
    if (!read) co_return fail(std::move(read.error()));
    for (std::size_t i = 0; i < without_body.size(); ++i) {
      if (!(*read)[i]) continue;
      if (json::value* body = (*read)[i]->fields.if_contains("body"))
        without_body[i]->item.fields["body"] = std::move(*body);
    }
  }
  for (IncomingItem& incoming : items) {
    if (plan::is_delivery_report(incoming.item.item_class)) {
      auto fetched = co_await fetch_report(context, incoming);
      if (!fetched) co_return fetched;
    }
    if (!incoming.tracking.track) continue;
    if (context.policies().mail.keep_mime) {
      auto fetched = co_await fetch_mime(context, incoming);
      if (!fetched) co_return fetched;
    } else {
      auto fetched = co_await fetch_attachments(context, incoming);
      if (!fetched) co_return fetched;
    }
  }
  co_return Result<void>{};
}

Result<void> put_message(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                         IncomingItem& incoming) {
  RemoteItem& item = incoming.item;
  if (item.opaque)
    return note(context, transaction, item.ref.id, 0,
                {.event = "not-tracked", .reason = "unknown-class", .text = item.item_class});
  if (item.operation_id && context.open_operations.contains(*item.operation_id))
    return {};  // the operation will say
  auto link = link_of(context, transaction, incoming);
  if (!link) return fail(std::move(link.error()));
  if (*link) return merge_linked(context, transaction, std::move(**link), folder, incoming);
  if (incoming.known_is_gone && incoming.known_is_parted) return keep_parted(transaction, folder, incoming);
  if (incoming.known_as && incoming.known_is_gone) {
    store::Link moved = *incoming.known_as;
    moved.folder = folder.id;
    moved.remote_id = item.ref.id;
    moved.state = store::LinkState::linked;
    if (auto done = note(context, transaction, item.ref.id, moved.record,
                         {.event = "moved", .text = "to " + folder.name});
        !done)
      return done;
    return merge_linked(context, transaction, std::move(moved), folder, incoming);
  }
  if (!incoming.report.empty())
    if (auto done = put_report(context, transaction, incoming); !done) return done;
  if (!incoming.tracking.track) return journal_untracked(context, transaction, incoming);

  auto own = record_of_operation(transaction, item);
  if (!own) return fail(std::move(own.error()));
  if (*own)
    return put_linked(context, transaction, folder, incoming, **own,
                      {.event = "linked", .reason = "own-sent-copy"});
  const std::string print = plan::fingerprint(item.fields);
  bool other_under_id = false;
  auto same = same_message(transaction, item.fields, print, &other_under_id);
  if (!same) return fail(std::move(same.error()));
  if (*same)
    return put_linked(context, transaction, folder, incoming, **same,
                      {.event = "linked", .reason = "same-message"});

  model::Record record{.kind = RecordKind::email, .owner = context.settings.owner, .fields = {}};
  Fields fields = std::move(item.fields);
  if (incoming.mime) {
    fields["mime"] = json::object{{"sha256", incoming.mime->sha256},
                                  {"size", incoming.mime->octets},
                                  {"contentType", "message/rfc822"}};
  }
  fields["direction"] = folder.role == FolderRole::sent ? "outgoing" : "incoming";
  fields["statusCode"] = folder.role == FolderRole::sent ? "sent" : "received";
  fields["fingerprint"] = print;
  if (incoming.thread != 0) fields["regarding"] = std::to_string(incoming.thread);
  item.fields = mail_base(fields);
  record.fields = std::move(fields);
  auto inserted = store::insert_record(transaction, std::move(record));
  if (!inserted) return fail(std::move(inserted.error()));
  ++context.summary.of(RecordKind::email).came;
  return put_linked(context, transaction, folder, incoming, *inserted,
                    {.event = "tracked",
                     .reason = incoming.tracking.reason,
                     .text = other_under_id ? "another message bears the same Message-ID" : ""});
}

}  // namespace syncline::sync
