// SPDX-License-Identifier: GPL-3.0-or-later
// Send: a draft with the operation's mark → attachments → SendItem with the last key. A lost answer to
// SendItem is settled by the draft: there and still a draft, it was not sent; gone, it was, unless it lies in
// Deleted Items (invariant 6).
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/text.hpp"
#include "ews/driver/from_item.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"
#include "ews/driver/write_steps.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

unexpected<Error> needs_person(std::string why) {
  return fail(ErrorDomain::ews, "needs-person", std::move(why));
}

/// Items of a folder that bear the operation's mark.
Async<std::vector<Item>> find_marked(Write& write, std::string_view folder) {
  FindItemRequest search;
  search.shape.additional = {operation_mark(), FieldUri{"item:IsDraft"},
                             FieldUri{"message:InternetMessageId"}};
  search.restriction = has_operation_id(write.order.operation_id);
  search.parents.push_back(write.state.distinguished(folder));
  co_return co_await search_all(write, std::move(search));
}

/// What people see of an HTML text: the server rewrites the rest as it likes.
std::string visible_text(std::string_view html) {
  std::string seen;
  bool in_tag = false;
  for (const char c : html) {
    if (c == '<') in_tag = true;
    const bool blank = in_tag || c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) seen += c;
    if (c == '>') in_tag = false;
  }
  return seen;
}

bool same_body(const model::FieldValue& a, const model::FieldValue& b) {
  const auto text_in = [](const model::FieldValue& body) {
    const auto* object = body.if_object();
    const auto* value = object == nullptr ? nullptr : object->if_contains("value");
    return value == nullptr || !value->is_string() ? std::string() : visible_text(value->get_string());
  };
  return text_in(a) == text_in(b);
}

/// Whether the draft says what we wrote, whatever the server's agents did to it.
bool is_ours_unchanged(const model::Fields& wanted, const model::Fields& now) {
  for (const char* name : {"subject", "toRecipients", "ccRecipients", "bccRecipients", "body"}) {
    const model::FieldInfo* info = model::find_field(model::RecordKind::email, name);
    const model::FieldValue* ours = wanted.if_contains(name);
    const model::FieldValue* theirs = now.if_contains(name);
    const model::FieldValue nothing;
    const model::FieldValue& a = ours == nullptr ? nothing : *ours;
    const model::FieldValue& b = theirs == nullptr ? nothing : *theirs;
    const bool same = info->type == model::FieldType::body ? same_body(a, b) : model::same_value(*info, a, b);
    if (!same) return false;
  }
  return true;
}

struct Draft {
  enum class State { to_be_sent, sent } state = State::to_be_sent;
  ItemId item;
};

/// The draft is not where it was.
Async<Draft> where_did_it_go(Write& write) {
  auto sent = co_await find_marked(write, "sentitems");
  if (!sent) co_return fail(unsettled(std::move(sent.error())));
  Draft draft{.state = Draft::State::sent, .item = {}};
  if (!sent->empty()) co_return draft;
  auto deleted = co_await find_marked(write, "deleteditems");
  if (!deleted) co_return fail(unsettled(std::move(deleted.error())));
  for (const Item& item : *deleted)
    if (item.is_draft.value_or(true))
      co_return needs_person("the draft lies in Deleted Items: somebody removed it before it was sent");
  co_return draft;
}

/// What became of the draft since `known`.
Async<Draft> look_at_draft(Write& write, const model::Fields& wanted, ItemId known) {
  ItemShape shape = shape_of(model::RecordKind::email, true);
  shape.additional.emplace_back(FieldUri{"item:IsDraft"});
  ItemId id{.id = known.id};
  auto item = co_await look_at(write, std::move(id), std::move(shape));
  if (!item) co_return fail(unsettled(std::move(item.error())));
  if (!*item || !(*item)->item_id) co_return co_await where_did_it_go(write);
  Draft draft{.item = *(*item)->item_id};
  if (!(*item)->is_draft.value_or(true)) {
    draft.state = Draft::State::sent;
    co_return draft;
  }
  if (draft.item.change_key != known.change_key) {
    const sync::RemoteItem now = from_item(model::RecordKind::email, **item, write.state);
    if (!is_ours_unchanged(wanted, now.fields))
      co_return needs_person("somebody changed the draft before it was sent");
  }
  co_return draft;
}

/// What lies in Sent Items, and its Message-ID, if it is there yet.
Async<sync::Applied> applied_send(Write& write, sync::Applied applied) {
  auto sent = co_await find_marked(write, "sentitems");
  if (sent && !sent->empty()) {
    const Item& item = sent->front();
    if (item.item_id) applied.item = {.id = item.item_id->id, .version = item.item_id->change_key};
    if (item.message && item.message->internet_message_id)
      applied.sent_message_id = *item.message->internet_message_id;
  } else if (const auto* id = write.order.fields.if_contains("internetMessageId");
             id != nullptr && id->is_string()) {
    applied.sent_message_id = std::string_view(id->get_string());
  }
  co_return applied;
}

}  // namespace

Async<sync::Applied> send_message(Write& write) {
  constexpr unsigned attempts = 4;
  if (is_being_withdrawn(write)) co_return co_await withdraw(write);
  model::Fields wanted = write.order.fields;
  wanted.erase("isRead");
  if (!write.order.send_as.empty())
    wanted["from"] = boost::json::object{{"emailAddress", write.order.send_as}};
  auto item = to_item(model::RecordKind::email, wanted, write.state);
  if (!item) co_return fail(std::move(item.error()));
  if (write.order.is_automatic) set_own_mail(*item);

  sync::Applied applied;
  Item whole = std::move(*item);
  auto created = co_await ensure_created(write, std::move(whole), applied);
  if (!created) co_return fail(std::move(created.error()));
  ItemId draft = std::move(created->item);
  const std::string made = draft.id;

  const bool was_open = write.journal.is_open("send");
  if (was_open) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
    auto now = co_await look_at_draft(write, wanted, draft);
    if (!now) co_return fail(std::move(now.error()));
    if (now->state == Draft::State::sent) co_return co_await applied_send(write, std::move(applied));
    draft = std::move(now->item);
  } else if (has_attachment_work(write.order)) {
    const bool is_new = created->is_new;
    auto done = co_await write_attachments(write, draft, is_new);
    if (!done && done.error().code == "gone")
      co_return needs_person("somebody removed the draft before it was sent");
    if (!done && is_refusal(done.error())) {
      const Error refusal = std::move(done.error());
      std::string id = made;
      co_return co_await withdraw(write, std::move(id), refusal);
    }
    if (!done) co_return fail(std::move(done.error()));
    draft = std::move(*done);
  }

  Error last;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    write.journal.set_fact("key", draft.change_key);
    SendItemRequest request{.ids = {draft}};
    std::string step = "send";
    auto sent = co_await once(write, std::move(step), std::move(request));
    if (sent) co_return co_await applied_send(write, std::move(applied));
    last = std::move(sent.error());
    if (!is_stale_key(last) && !is_missing(last)) break;
    auto now = co_await look_at_draft(write, wanted, draft);
    if (!now) co_return fail(std::move(now.error()));
    if (now->state == Draft::State::sent) co_return co_await applied_send(write, std::move(applied));
    draft = std::move(now->item);
  }
  const Error refusal = std::move(last).during("sending a message");
  if (!is_refusal(refusal)) co_return fail(refusal);
  std::string id = made;
  co_return co_await withdraw(write, std::move(id), refusal);
}

}  // namespace syncline::ews
