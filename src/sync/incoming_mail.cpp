// SPDX-License-Identifier: GPL-3.0-or-later
// Messages: tracked or not and why, one record for the copies of one message (invariant 14), content before
// the transaction that refers to it (invariant 2).
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <unordered_map>

#include "base/text.hpp"
#include "store/lookup_key.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "sync/incoming_item.hpp"
#include "sync/plan/adoption.hpp"
#include "sync/plan/mail_owner.hpp"
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

/// Of the records that hold one address, so many stand in the journal.
constexpr std::size_t most_named_candidates = 10;

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
  base.reserve(2);
  for (const std::string_view name : {"categories", "isRead"})
    if (const json::value* value = remote.if_contains(name)) base[name] = *value;
  return base;
}

struct Correlation {
  model::RecordId record = 0;
  std::string_view by = {};
  std::vector<std::string> message_ids = {};  ///< of the messages it answers
};

/// Whom an address means.
struct Party {
  bool is_contact = false;
  model::RecordId record = 0;   ///< 0: several contacts hold it, and nobody can tell
  json::array candidates = {};  ///< where another of them might have been meant
};

/// What is known of a page's messages while each of them is decided on.
struct PageKnowledge {
  std::set<std::string, std::less<>> tracked = {};      ///< Message-IDs
  std::unordered_map<std::string, Party> parties = {};  ///< by address: a page's messages are of few people
};

Result<Correlation> correlate(RunContext& context, Transaction& transaction, const Fields& message) {
  const model::MailPolicy& policy = context.policies().mail;
  plan::ThreadKeys keys = plan::thread_keys(
      message, policy.use_tracking_token ? std::string_view(policy.token_prefix) : std::string_view());
  for (const std::string& id : keys.message_ids) {
    auto found = store::find_email_id_by_message_id(transaction, id);
    if (!found) return fail(std::move(found.error()));
    if (*found) {
      const std::vector<std::string> direct = plan::message_ids_in(text_of(message, "inReplyTo"));
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
  return Correlation{.message_ids = std::move(keys.message_ids)};
}

Result<Party> find_party(RunContext& context, Transaction& transaction, const std::string& address) {
  auto contacts = store::find_by_address(transaction, address, RecordKind::contact);
  if (!contacts) return fail(std::move(contacts.error()));
  if (contacts->empty()) return Party{};
  if (contacts->size() == 1) return Party{.is_contact = true, .record = contacts->front()};
  std::vector<model::Record> records;
  if (contacts->size() <= plan::most_candidates)
    for (const model::RecordId id : *contacts) {
      auto record = store::find_record(transaction, id);
      if (!record) return fail(std::move(record.error()));
      if (*record) records.push_back(std::move(**record));
    }
  std::vector<plan::AddressHolder> candidates;
  for (const model::Record& record : records)
    candidates.push_back({.record = record.id, .owner = record.owner});
  if (records.empty()) candidates.resize(contacts->size());
  const plan::Match match = plan::match_of(candidates, context.settings.owner);
  Party party{.is_contact = true, .record = match.record};
  if (match.is_one_of_several)
    for (const model::RecordId id : *contacts)
      if (party.candidates.size() < most_named_candidates) party.candidates.emplace_back(std::to_string(id));
  return party;
}

Result<const Party*> party_of(RunContext& context, Transaction& transaction, const std::string& address,
                              PageKnowledge& page) {
  if (const auto known = page.parties.find(address); known != page.parties.end()) return &known->second;
  auto found = find_party(context, transaction, address);
  if (!found) return fail(std::move(found.error()));
  return &page.parties.emplace(address, std::move(*found)).first->second;
}

/// Addresses of a message with the records that hold them; the mailbox's own address is no acquaintance.
Result<json::object> parties_of(RunContext& context, Transaction& transaction, const Fields& message,
                                PageKnowledge& page, json::object& ambiguous, bool* known_contact,
                                bool* known_record) {
  json::object parties;
  for (const std::string& address : plan::addresses_in(RecordKind::email, message)) {
    if (address == context.settings.address) continue;
    auto party = party_of(context, transaction, address, page);
    if (!party) return fail(std::move(party.error()));
    if ((*party)->is_contact) {
      *known_contact = true;
      if ((*party)->record != 0) parties[address] = std::to_string((*party)->record);
      if (!(*party)->candidates.empty()) ambiguous[address] = (*party)->candidates;
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
                    IncomingItem& incoming, PageKnowledge& page) {
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
  if (!facts.correlated && std::any_of(correlation->message_ids.begin(), correlation->message_ids.end(),
                                       [&](const std::string& id) { return page.tracked.contains(id); })) {
    facts.correlated = true;
    facts.correlated_by = "references";
  }
  auto parties = parties_of(context, transaction, item.fields, page, incoming.ambiguous, &facts.known_contact,
                            &facts.known_record);
  if (!parties) return fail(std::move(parties.error()));
  if (!parties->empty()) item.fields["parties"] = std::move(*parties);
  incoming.tracking = plan::decide_tracking(facts, context.policies().mail);
  if (context.settings.kind == MailboxKind::forward && incoming.attached_id.empty())
    incoming.tracking = {.track = false, .reason = "nothing-forwarded"};
  if (incoming.tracking.track)
    if (const std::string_view id = text_of(item.fields, "internetMessageId"); !id.empty())
      page.tracked.emplace(id);
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
    plan::recipient_state(states, recipient.address) =
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

/// Of a message without a Message-ID: a record of one without, with the same octets.
Result<std::optional<model::Record>> same_octets(Transaction& transaction, const IncomingItem& incoming) {
  if (!incoming.mime) return std::nullopt;
  auto candidates = store::find_emails_by_message_id(transaction, store::octets_id(incoming.mime->sha256));
  if (!candidates) return fail(std::move(candidates.error()));
  for (model::Record& candidate : *candidates) {
    const json::value* mime = candidate.fields.if_contains("mime");
    if (text_of(candidate.fields, "internetMessageId").empty() && mime != nullptr && mime->is_object() &&
        text_of(mime->get_object(), "sha256") == incoming.mime->sha256)
      return std::optional<model::Record>(std::move(candidate));
  }
  return std::nullopt;
}

/// A record that is the same message: equal Message-ID and equal fingerprint.
Result<std::optional<model::Record>> same_message(Transaction& transaction, const IncomingItem& incoming,
                                                  std::string_view print, bool* other_under_id) {
  const std::string_view id = text_of(incoming.item.fields, "internetMessageId");
  if (id.empty()) return same_octets(transaction, incoming);
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

std::string address_of(const json::value* person) {
  if (person == nullptr || !person->is_object()) return {};
  return text::to_lower_ascii(text_of(person->get_object(), "emailAddress"));
}
std::vector<std::string> addresses_of(const Fields& message, const char* list) {
  std::vector<std::string> addresses;
  if (const json::value* people = message.if_contains(list); people != nullptr && people->is_array())
    for (const json::value& person : people->get_array())
      if (std::string address = address_of(&person); !address.empty())
        addresses.push_back(std::move(address));
  return addresses;
}
/// 0: the sender is nobody known.
model::RecordId contact_that_sent(const Fields& message) {
  const json::value* parties = message.if_contains("parties");
  if (parties == nullptr || !parties->is_object()) return 0;
  const std::string sender = address_of(message.if_contains("from"));
  return text::parse_int(text_of(parties->get_object(), sender)).value_or(0);
}

/// Whose record the message becomes.
Result<plan::OwnerDecision> decide_owner(RunContext& context, Transaction& transaction,
                                         const RemoteFolder& folder, const IncomingItem& incoming) {
  const MailboxSettings& settings = context.settings;
  plan::OwnerFacts facts{.mailbox_owner = settings.owner};
  facts.is_shared = settings.kind != MailboxKind::user && folder.role != FolderRole::sent;
  if (!facts.is_shared || !settings.owner_of_mailbox) return plan::owner_of(facts);
  const Fields& message = incoming.item.fields;
  for (const char* name : {"toRecipients", "ccRecipients", "bccRecipients"}) {
    std::vector<std::string>& people = facts.listed.emplace_back();
    for (const std::string& address : addresses_of(message, name)) {
      auto owner = settings.owner_of_mailbox(transaction, address);
      if (!owner) return fail(std::move(owner.error()));
      if (*owner) people.push_back(std::move(**owner));
    }
  }
  const auto owner_of_record = [&](model::RecordId id) -> Result<std::string> {
    if (id == 0) return std::string();
    auto record = store::find_record(transaction, id);
    if (!record) return fail(std::move(record.error()));
    return *record ? (*record)->owner : std::string();
  };
  auto related = owner_of_record(incoming.thread);
  if (!related) return fail(std::move(related.error()));
  facts.related_owner = *related;
  auto sender = owner_of_record(contact_that_sent(message));
  if (!sender) return fail(std::move(sender.error()));
  facts.sender_owner = *sender;
  return plan::owner_of(facts);
}

/// What the journal says beside why a message was tracked: whose it is, where that is not plain, and which
/// addresses mean nobody in particular.
std::string tracking_detail(RunContext& context, const plan::OwnerDecision& owner,
                            const IncomingItem& incoming) {
  json::object detail;
  if (context.settings.kind != MailboxKind::user)
    detail = {{"owner", owner.owner}, {"ownerBy", owner.reason}};
  if (!incoming.ambiguous.empty()) detail["ambiguous"] = incoming.ambiguous;
  return detail.empty() ? std::string() : json::serialize(detail);
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
  std::vector<std::pair<std::string_view, IncomingItem*>> by_age;
  by_age.reserve(items.size());
  for (IncomingItem& incoming : items)
    by_age.emplace_back(text_of(incoming.item.fields, "dateTimeReceived"), &incoming);
  std::stable_sort(by_age.begin(), by_age.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  auto decided = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    PageKnowledge page;
    for (const auto& [_, incoming] : by_age) {
      if (incoming->item.opaque) continue;
      auto linked = is_linked(context, transaction, *incoming);
      if (!linked) return fail(std::move(linked.error()));
      if (*linked || incoming->known_is_gone) continue;
      if (auto done = decide(context, transaction, folder, *incoming, page); !done) return done;
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
    bool in_parts = !context.policies().mail.keep_mime;
    if (!in_parts) {
      auto fetched = co_await fetch_mime(context, incoming);
      if (!fetched) co_return fetched;
      // Of a message that the server cannot give whole, what can be had.
      const std::string_view why = text_of(incoming.item.fields, "statusReason");
      in_parts = !incoming.mime && incoming.attached_id.empty() && why != "gone" && why != "too-large";
    }
    if (in_parts) {
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
  auto same = same_message(transaction, incoming, print, &other_under_id);
  if (!same) return fail(std::move(same.error()));
  if (*same)
    return put_linked(context, transaction, folder, incoming, **same,
                      {.event = "linked", .reason = "same-message"});

  auto owner = decide_owner(context, transaction, folder, incoming);
  if (!owner) return fail(std::move(owner.error()));
  model::Record record{.kind = RecordKind::email, .owner = owner->owner, .fields = {}};
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
                     .text = other_under_id ? "another message bears the same Message-ID" : "",
                     .detail = tracking_detail(context, *owner, incoming)});
}

}  // namespace syncline::sync
