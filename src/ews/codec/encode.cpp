// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>
#include <string>
#include <utility>

#include "base/base64.hpp"
#include "ews/codec/codec.hpp"
#include "ews/codec/detail/context.hpp"
#include "ews/codec/detail/map_items.hpp"

namespace syncline::ews::codec {
namespace {

// ---- names of things

/// Any generated choice of folder ids.
template <class U>
void write_folder_ref(Writer& io, int& tag, U& value, const FolderRef& o) {
  static_assert(SOAP_UNION__ewst__union_FolderIds_FolderId ==
                SOAP_UNION__ewst__union_TargetFolderId_FolderId);
  if (const auto* id = std::get_if<FolderId>(&o)) {
    if (id->id.empty()) io.fail("missing-element", "an empty folder id");
    tag = SOAP_UNION__ewst__union_FolderIds_FolderId;
    return io(value.FolderId, *id);
  }
  const auto& distinguished = std::get<DistinguishedFolderId>(o);
  tag = SOAP_UNION__ewst__union_FolderIds_DistinguishedFolderId;
  auto& g = *(value.DistinguishedFolderId = io.make<ewst__DistinguishedFolderId>());
  io(g.Id, distinguished.name);
  io(g.ChangeKey, distinguished.change_key);
  if (distinguished.mailbox_smtp) io(g.Mailbox, EmailAddress{.address = distinguished.mailbox_smtp});
}
void write(Writer& io, ewst__TargetFolderId*& g, const FolderRef& o) {
  g = io.make<ewst__TargetFolderId>();
  write_folder_ref(io, g->__union_TargetFolderId, g->union_TargetFolderId, o);
}
void write(Writer& io, ewst__TargetFolderId*& g, const std::optional<FolderRef>& o) {
  if (o) write(io, g, *o);
}
void write_optional(Writer& io, ewst__FolderIds*& g, const std::vector<FolderRef>& o) {
  if (o.empty()) return;
  g = io.make<ewst__FolderIds>();
  for (const auto& ref : o) {
    auto& element = g->__union_FolderIds.emplace_back();
    element.soap_default(nullptr);
    write_folder_ref(io, element.__union_FolderIds, element.union_FolderIds, ref);
  }
}
void write(Writer& io, ewst__FolderIds*& g, const std::vector<FolderRef>& o) {
  if (o.empty()) io.fail("missing-element", "no folder ids");
  write_optional(io, g, o);
}

template <class U>
void write_item_ref(Writer& io, int& tag, U& value, const ItemRef& o) {
  static_assert(SOAP_UNION__ewst__union_ItemIds_RecurringMasterItemId ==
                SOAP_UNION__ewst__union_ItemChange_RecurringMasterItemId);
  if (const auto* id = std::get_if<ItemId>(&o)) {
    if (id->id.empty()) io.fail("missing-element", "an empty item id");
    tag = SOAP_UNION__ewst__union_ItemIds_ItemId;
    io(value.ItemId, *id);
  } else if (const auto* occurrence = std::get_if<OccurrenceItemId>(&o)) {
    tag = SOAP_UNION__ewst__union_ItemIds_OccurrenceItemId;
    auto& g = *(value.OccurrenceItemId = io.make<ewst__OccurrenceItemId>());
    io(g.RecurringMasterId, occurrence->recurring_master_id);
    io(g.InstanceIndex, occurrence->instance_index);
    io(g.ChangeKey, occurrence->change_key);
  } else {
    const auto& master = std::get<RecurringMasterItemId>(o);
    tag = SOAP_UNION__ewst__union_ItemIds_RecurringMasterItemId;
    auto& g = *(value.RecurringMasterItemId = io.make<ewst__RecurringMasterItemId>());
    io(g.OccurrenceId, master.occurrence_id);
    io(g.ChangeKey, master.change_key);
  }
}
template <class Refs>
void write_item_ids(Writer& io, ewst__ItemIds*& g, const Refs& o) {
  if (o.empty()) io.fail("missing-element", "no item ids");
  g = io.make<ewst__ItemIds>();
  for (const auto& ref : o) {
    auto& element = g->__union_ItemIds.emplace_back();
    element.soap_default(nullptr);
    write_item_ref(io, element.__union_ItemIds, element.union_ItemIds, ItemRef(ref));
  }
}

// ---- paths

/// Every generated choice of paths numbers them alike.
template <class U>
void write_path(Writer& io, int& tag, U& value, const PropertyPath& o) {
  static_assert(SOAP_UNION__ewst__union_Paths_FieldURI == 1 &&
                SOAP_UNION__ewst__union_Paths_IndexedFieldURI == 2 &&
                SOAP_UNION__ewst__union_Paths_ExtendedFieldURI == 3);
  static_assert(SOAP_UNION__ewst__union_SetItemField_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_AppendToItemField_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_DeleteItemField_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_FieldOrder_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_Exists_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_Excludes_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_Contains_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_Comparison_ExtendedFieldURI == 3 &&
                SOAP_UNION__ewst__union_Operand_ExtendedFieldURI == 3);
  tag = static_cast<int>(o.index()) + 1;
  if (const auto* field = std::get_if<FieldUri>(&o)) {
    io((value.FieldURI = io.template make<ewst__FieldUri>())->FieldURI, field->uri);
  } else if (const auto* indexed = std::get_if<IndexedFieldUri>(&o)) {
    auto& g = *(value.IndexedFieldURI = io.template make<ewst__IndexedFieldUri>());
    io(g.FieldURI, indexed->uri);
    io(g.FieldIndex, indexed->index);
  } else {
    io(value.ExtendedFieldURI, std::get<ExtendedFieldUri>(o));
  }
}
void write(Writer& io, ewst__Paths*& g, const std::vector<PropertyPath>& o) {
  if (o.empty()) return;
  g = io.make<ewst__Paths>();
  for (const auto& path : o) {
    auto& element = g->__union_Paths.emplace_back();
    element.soap_default(nullptr);
    write_path(io, element.__union_Paths, element.union_Paths, path);
  }
}

void write(Writer& io, ewst__FolderShape*& g, const FolderShape& o) {
  g = io.make<ewst__FolderShape>();
  io(g->BaseShape, o.base);
  write(io, g->AdditionalProperties, o.additional);
}
void write(Writer& io, ewst__ItemShape*& g, const ItemShape& o) {
  g = io.make<ewst__ItemShape>();
  io(g->BaseShape, o.base);
  io(g->IncludeMimeContent, o.include_mime_content);
  io(g->BodyType, o.body_type);
  io(g->FilterHtmlContent, o.filter_html_content);
  io(g->ConvertHtmlCodePageToUTF8, o.convert_html_code_page_to_utf8);
  write(io, g->AdditionalProperties, o.additional);
}

// ---- restrictions

constexpr int max_restriction_depth = 32;

template <class U>
void write_restriction(Writer& io, int& tag, U& value, const Restriction& o, int depth);

void write_operands(Writer& io, ewst__Operands*& g, const std::vector<Restriction>& o, int depth) {
  if (o.size() < 2) io.fail("bad-value", "And and Or need two operands");
  g = io.make<ewst__Operands>();
  for (const auto& operand : o) {
    auto& element = g->__union_Operands.emplace_back();
    element.soap_default(nullptr);
    write_restriction(io, element.__union_Operands, element.union_Operands, operand, depth + 1);
  }
}

void write_comparison(Writer& io, ewst__Comparison*& g, const Comparison& o) {
  g = io.make<ewst__Comparison>();
  write_path(io, g->__union_Comparison, g->union_Comparison, o.path);
  auto& operand = *(g->FieldURIOrConstant = io.make<ewst__Operand>());
  if (const auto* path = std::get_if<PropertyPath>(&o.operand)) {
    write_path(io, operand.__union_Operand, operand.union_Operand, *path);
  } else {
    operand.__union_Operand = SOAP_UNION__ewst__union_Operand_Constant;
    io((operand.union_Operand.Constant = io.make<ewst__Constant>())->Value, std::get<std::string>(o.operand));
  }
}

template <class U>
void write_restriction(Writer& io, int& tag, U& value, const Restriction& o, int depth) {
  static_assert(SOAP_UNION__ewst__union_Restriction_Or == SOAP_UNION__ewst__union_Not_Or);
  static_assert(SOAP_UNION__ewst__union_Restriction_Or == SOAP_UNION__ewst__union_Operands_Or);
  if (depth > max_restriction_depth) return io.fail("too-deep", "a restriction nested deeper than 32");
  if (const auto* comparison = std::get_if<Comparison>(&o.expression)) {
    switch (comparison->op) {
#define SYNCLINE_COMPARISON(Name, enumerator)         \
  case ComparisonOperator::enumerator:                \
    tag = SOAP_UNION__ewst__union_Restriction_##Name; \
    return write_comparison(io, value.Name, *comparison);
      SYNCLINE_COMPARISON(IsEqualTo, is_equal_to)
      SYNCLINE_COMPARISON(IsNotEqualTo, is_not_equal_to)
      SYNCLINE_COMPARISON(IsGreaterThan, is_greater_than)
      SYNCLINE_COMPARISON(IsGreaterThanOrEqualTo, is_greater_than_or_equal_to)
      SYNCLINE_COMPARISON(IsLessThan, is_less_than)
      SYNCLINE_COMPARISON(IsLessThanOrEqualTo, is_less_than_or_equal_to)
#undef SYNCLINE_COMPARISON
    }
  } else if (const auto* exists = std::get_if<Exists>(&o.expression)) {
    tag = SOAP_UNION__ewst__union_Restriction_Exists;
    auto& g = *(value.Exists = io.template make<ewst__Exists>());
    write_path(io, g.__union_Exists, g.union_Exists, exists->path);
  } else if (const auto* contains = std::get_if<Contains>(&o.expression)) {
    tag = SOAP_UNION__ewst__union_Restriction_Contains;
    auto& g = *(value.Contains = io.template make<ewst__Contains>());
    write_path(io, g.__union_Contains, g.union_Contains, contains->path);
    io((g.Constant = io.template make<ewst__Constant>())->Value, contains->value);
    io(g.ContainmentMode, std::optional(contains->mode));
    io(g.ContainmentComparison, std::optional(contains->comparison));
  } else if (const auto* excludes = std::get_if<Excludes>(&o.expression)) {
    tag = SOAP_UNION__ewst__union_Restriction_Excludes;
    auto& g = *(value.Excludes = io.template make<ewst__Excludes>());
    write_path(io, g.__union_Excludes, g.union_Excludes, excludes->path);
    io((g.Bitmask = io.template make<ewst__Bitmask>())->Value, std::to_string(excludes->bitmask));
  } else if (const auto* negation = std::get_if<Not>(&o.expression)) {
    if (negation->operand.size() != 1) return io.fail("bad-value", "Not needs one operand");
    tag = SOAP_UNION__ewst__union_Restriction_Not;
    auto& g = *(value.Not = io.template make<ewst__Not>());
    write_restriction(io, g.__union_Not, g.union_Not, negation->operand.front(), depth + 1);
  } else if (const auto* conjunction = std::get_if<And>(&o.expression)) {
    tag = SOAP_UNION__ewst__union_Restriction_And;
    write_operands(io, value.And, conjunction->operands, depth);
  } else if (const auto* disjunction = std::get_if<Or>(&o.expression)) {
    tag = SOAP_UNION__ewst__union_Restriction_Or;
    write_operands(io, value.Or, disjunction->operands, depth);
  }
}
void write(Writer& io, ewst__Restriction*& g, const std::optional<Restriction>& o) {
  if (!o) return;
  g = io.make<ewst__Restriction>();
  write_restriction(io, g->__union_Restriction, g->union_Restriction, *o, 1);
}

ewst__IndexedPageView* write_view(Writer& io, const IndexedView& o) {
  auto* g = io.make<ewst__IndexedPageView>();
  io(g->MaxEntriesReturned, o.max_entries);
  io(g->Offset, o.offset);
  io(g->BasePoint, o.base_point);
  return g;
}

void check_range(Writer& io, std::int64_t value, std::int64_t least, std::int64_t most, const char* what) {
  if (value < least || value > most)
    io.fail("bad-value",
            std::string(what) + " must be between " + std::to_string(least) + " and " + std::to_string(most));
}

// ---- the operations

void fill(Writer& io, ewsm__GetFolderRequest& g, const GetFolderRequest& o) {
  write(io, g.FolderShape, o.shape);
  write(io, g.FolderIds, o.folders);
}

void fill(Writer& io, ewsm__FindFolderRequest& g, const FindFolderRequest& o) {
  write(io, g.FolderShape, o.shape);
  io(g.Traversal, o.traversal);
  if (o.view) g.IndexedPageFolderView = write_view(io, *o.view);
  write(io, g.Restriction, o.restriction);
  write(io, g.ParentFolderIds, o.parents);
}

void fill(Writer& io, ewsm__CreateFolderRequest& g, const CreateFolderRequest& o) {
  write(io, g.ParentFolderId, o.parent);
  if (o.folders.empty()) io.fail("missing-element", "no folders to create");
  g.Folders = io.make<ewst__NewFolders>();
  for (const auto& folder : o.folders) {
    auto& element = g.Folders->__union_NewFolders.emplace_back();
    element.soap_default(nullptr);
    auto& value = element.union_NewFolders;
    switch (folder.kind) {
      case FolderKind::folder:
        element.__union_NewFolders = SOAP_UNION__ewst__union_NewFolders_Folder;
        map(io, *(value.Folder = io.make<ewst__Folder>()), folder);
        break;
      case FolderKind::calendar:
        element.__union_NewFolders = SOAP_UNION__ewst__union_NewFolders_CalendarFolder;
        map(io, static_cast<ewst__BaseFolder&>(*(value.CalendarFolder = io.make<ewst__CalendarFolder>())),
            folder);
        break;
      case FolderKind::contacts:
        element.__union_NewFolders = SOAP_UNION__ewst__union_NewFolders_ContactsFolder;
        map(io, static_cast<ewst__BaseFolder&>(*(value.ContactsFolder = io.make<ewst__ContactsFolder>())),
            folder);
        break;
      case FolderKind::tasks:
        element.__union_NewFolders = SOAP_UNION__ewst__union_NewFolders_TasksFolder;
        map(io, static_cast<ewst__Folder&>(*(value.TasksFolder = io.make<ewst__TasksFolder>())), folder);
        break;
      case FolderKind::search:
      case FolderKind::opaque:
        io.fail("bad-value", "a folder of a kind that cannot be created");
        break;
    }
  }
}

void fill(Writer& io, ewsm__SyncFolderHierarchyRequest& g, const SyncFolderHierarchyRequest& o) {
  write(io, g.FolderShape, o.shape);
  write(io, g.SyncFolderId, o.root);
  io(g.SyncState, o.sync_state);
}

void fill(Writer& io, ewsm__SyncFolderItemsRequest& g, const SyncFolderItemsRequest& o) {
  write(io, g.ItemShape, o.shape);
  write(io, g.SyncFolderId, o.folder);
  io(g.SyncState, o.sync_state);
  io.list(g.Ignore, &ewst__IgnoredItemIds::ItemId, o.ignore);
  check_range(io, o.max_changes, 1, 512, "MaxChangesReturned");
  io(g.MaxChangesReturned, o.max_changes);
  io(g.SyncScope, o.scope);
}

void fill(Writer& io, ewsm__FindItemRequest& g, const FindItemRequest& o) {
  write(io, g.ItemShape, o.shape);
  io(g.Traversal, o.traversal);
  if (const auto* indexed = std::get_if<IndexedView>(&o.view)) {
    g.__union_FindItemRequest = SOAP_UNION__ewsm__union_FindItemRequest_IndexedPageItemView;
    g.union_FindItemRequest.IndexedPageItemView = write_view(io, *indexed);
  } else if (const auto* calendar = std::get_if<CalendarView>(&o.view)) {
    g.__union_FindItemRequest = SOAP_UNION__ewsm__union_FindItemRequest_CalendarView;
    auto& view = *(g.union_FindItemRequest.CalendarView = io.make<ewst__CalendarView>());
    io(view.MaxEntriesReturned, calendar->max_entries);
    io(view.StartDate, calendar->start);
    io(view.EndDate, calendar->end);
  }
  write(io, g.Restriction, o.restriction);
  if (!o.sort.empty()) {
    g.SortOrder = io.make<ewst__SortOrder>();
    for (const auto& key : o.sort) {
      auto* order = io.make<ewst__FieldOrder>();
      write_path(io, order->__union_FieldOrder, order->union_FieldOrder, key.path);
      io(order->Order, key.direction);
      g.SortOrder->FieldOrder.push_back(order);
    }
  }
  write(io, g.ParentFolderIds, o.parents);
  io(g.QueryString, o.query_string);
}

void fill(Writer& io, ewsm__GetItemRequest& g, const GetItemRequest& o) {
  write(io, g.ItemShape, o.shape);
  write_item_ids(io, g.ItemIds, o.ids);
}

void write_smart_response(Writer& io, ewst__SmartResponse*& g, const ResponseObject& o) {
  g = io.make<ewst__SmartResponse>();
  io(g->Subject, o.subject);
  io(g->ToRecipients, o.to_recipients);
  io(g->CcRecipients, o.cc_recipients);
  io(g->BccRecipients, o.bcc_recipients);
  io(g->ReferenceItemId, o.reference);
  io(g->NewBodyContent, o.new_body_content);
}
void write_meeting_answer(Writer& io, ewst__MeetingAnswer*& g, const ResponseObject& o) {
  g = io.make<ewst__MeetingAnswer>();
  io(g->Body, o.body);
  io(g->ToRecipients, o.to_recipients);
  io(g->CcRecipients, o.cc_recipients);
  io(g->BccRecipients, o.bcc_recipients);
  io(g->ReferenceItemId, o.reference);
  io(g->ProposedStart, o.proposed_start);
  io(g->ProposedEnd, o.proposed_end);
}
void write_reference(Writer& io, ewst__ReferenceAnswer*& g, const ResponseObject& o) {
  io((g = io.make<ewst__ReferenceAnswer>())->ReferenceItemId, o.reference);
}
void write_response_object(Writer& io, const ResponseObject& o, int& tag, _ewst__union_NewItems& value) {
  using enum ResponseObject::Kind;
  switch (o.kind) {
#define SYNCLINE_RESPONSE_OBJECT(enumerator, Name, function) \
  case enumerator:                                           \
    tag = SOAP_UNION__ewst__union_NewItems_##Name;           \
    return function(io, value.Name, o);
    SYNCLINE_RESPONSE_OBJECT(accept, AcceptItem, write_meeting_answer)
    SYNCLINE_RESPONSE_OBJECT(tentatively_accept, TentativelyAcceptItem, write_meeting_answer)
    SYNCLINE_RESPONSE_OBJECT(decline, DeclineItem, write_meeting_answer)
    SYNCLINE_RESPONSE_OBJECT(reply, ReplyToItem, write_smart_response)
    SYNCLINE_RESPONSE_OBJECT(reply_all, ReplyAllToItem, write_smart_response)
    SYNCLINE_RESPONSE_OBJECT(forward, ForwardItem, write_smart_response)
    SYNCLINE_RESPONSE_OBJECT(cancel_calendar_item, CancelCalendarItem, write_smart_response)
    SYNCLINE_RESPONSE_OBJECT(remove_item, RemoveItem, write_reference)
    SYNCLINE_RESPONSE_OBJECT(suppress_read_receipt, SuppressReadReceipt, write_reference)
#undef SYNCLINE_RESPONSE_OBJECT
  }
}

void fill(Writer& io, ewsm__CreateItemRequest& g, const CreateItemRequest& o) {
  write(io, g.SavedItemFolderId, o.saved_item_folder);
  io(g.MessageDisposition, o.message_disposition);
  io(g.SendMeetingInvitations, o.send_meeting_invitations);
  if (o.items.empty()) io.fail("missing-element", "no items to create");
  g.Items = io.make<ewst__NewItems>();
  for (const auto& entry : o.items) {
    auto& element = g.Items->__union_NewItems.emplace_back();
    element.soap_default(nullptr);
    if (const auto* item = std::get_if<Item>(&entry)) {
      element.__union_NewItems = static_cast<int>(item->kind) + 1;
      write_item(io, *item, element.union_NewItems);
    } else {
      write_response_object(io, std::get<ResponseObject>(entry), element.__union_NewItems,
                            element.union_NewItems);
    }
  }
}

void write_update(Writer& io, __ewst__union_ItemUpdates& g, const ItemUpdate& o) {
  auto& value = g.union_ItemUpdates;
  if (const auto* set = std::get_if<SetItemField>(&o)) {
    g.__union_ItemUpdates = SOAP_UNION__ewst__union_ItemUpdates_SetItemField;
    auto& field = *(value.SetItemField = io.make<ewst__SetItemField>());
    write_path(io, field.__union_SetItemField, field.union_SetItemField, set->path);
    field.__union_SetItemField_ = static_cast<int>(set->item.kind) + 1;
    write_item(io, set->item, field.union_SetItemField_);
  } else if (const auto* append = std::get_if<AppendToItemField>(&o)) {
    g.__union_ItemUpdates = SOAP_UNION__ewst__union_ItemUpdates_AppendToItemField;
    auto& field = *(value.AppendToItemField = io.make<ewst__AppendToItemField>());
    write_path(io, field.__union_AppendToItemField, field.union_AppendToItemField, append->path);
    field.__union_AppendToItemField_ = static_cast<int>(append->item.kind) + 1;
    write_item(io, append->item, field.union_AppendToItemField_);
  } else {
    g.__union_ItemUpdates = SOAP_UNION__ewst__union_ItemUpdates_DeleteItemField;
    auto& field = *(value.DeleteItemField = io.make<ewst__DeleteItemField>());
    write_path(io, field.__union_DeleteItemField, field.union_DeleteItemField,
               std::get<DeleteItemField>(o).path);
  }
}

void fill(Writer& io, ewsm__UpdateItemRequest& g, const UpdateItemRequest& o) {
  write(io, g.SavedItemFolderId, o.saved_item_folder);
  io(g.ConflictResolution, o.conflict_resolution);
  io(g.MessageDisposition, o.message_disposition);
  io(g.SendMeetingInvitationsOrCancellations, o.send_meeting_invitations_or_cancellations);
  io(g.SuppressReadReceipts, o.suppress_read_receipts);
  if (o.changes.empty()) io.fail("missing-element", "no item changes");
  g.ItemChanges = io.make<ewst__ItemChanges>();
  for (const auto& change : o.changes) {
    auto* element = io.make<ewst__ItemChange>();
    write_item_ref(io, element->__union_ItemChange, element->union_ItemChange, change.id);
    if (change.updates.empty()) io.fail("missing-element", "an item change without updates");
    element->Updates = io.make<ewst__ItemUpdates>();
    for (const auto& update : change.updates) {
      auto& g_update = element->Updates->__union_ItemUpdates.emplace_back();
      g_update.soap_default(nullptr);
      write_update(io, g_update, update);
    }
    g.ItemChanges->ItemChange.push_back(element);
  }
}

void fill(Writer& io, ewsm__DeleteItemRequest& g, const DeleteItemRequest& o) {
  write_item_ids(io, g.ItemIds, o.ids);
  io(g.DeleteType, o.delete_type);
  io(g.SendMeetingCancellations, o.send_meeting_cancellations);
  io(g.AffectedTaskOccurrences, o.affected_task_occurrences);
  io(g.SuppressReadReceipts, o.suppress_read_receipts);
}

void fill(Writer& io, ewsm__MoveItemRequest& g, const MoveItemRequest& o) {
  write(io, g.ToFolderId, o.to);
  write_item_ids(io, g.ItemIds, o.ids);
  io(g.ReturnNewItemIds, o.return_new_item_ids);
}

void fill(Writer& io, ewsm__SendItemRequest& g, const SendItemRequest& o) {
  write_item_ids(io, g.ItemIds, o.ids);
  io(g.SaveItemToFolder, o.save_item_to_folder);
  write(io, g.SavedItemFolderId, o.saved_item_folder);
}

void fill(Writer& io, ewsm__CreateAttachmentRequest& g, const CreateAttachmentRequest& o) {
  io(g.ParentItemId, o.parent);
  if (o.attachments.empty()) io.fail("missing-element", "no attachments to create");
  attachments(io, g.Attachments, o.attachments);
}

void write_attachment_ids(Writer& io, ewst__RequestAttachmentIds*& g, const std::vector<std::string>& o) {
  if (o.empty()) io.fail("missing-element", "no attachment ids");
  g = io.make<ewst__RequestAttachmentIds>();
  for (const auto& id : o) {
    auto* element = io.make<ewst__RequestAttachmentId>();
    io(element->Id, id);
    g->AttachmentId.push_back(element);
  }
}

void fill(Writer& io, ewsm__GetAttachmentRequest& g, const GetAttachmentRequest& o) {
  if (o.include_mime_content || o.body_type || !o.additional.empty()) {
    auto& shape = *(g.AttachmentShape = io.make<ewst__AttachmentShape>());
    io(shape.IncludeMimeContent, o.include_mime_content);
    io(shape.BodyType, o.body_type);
    write(io, shape.AdditionalProperties, o.additional);
  }
  write_attachment_ids(io, g.AttachmentIds, o.ids);
}

void fill(Writer& io, ewsm__DeleteAttachmentRequest& g, const DeleteAttachmentRequest& o) {
  write_attachment_ids(io, g.AttachmentIds, o.ids);
}

template <class G>
void write_subscription(Writer& io, G& g, const SubscribeRequest& o) {
  write_optional(io, g.FolderIds, o.folders);
  if (o.folders.empty() && !o.all_folders) io.fail("missing-element", "a subscription to no folders");
  if (o.all_folders) io(g.SubscribeToAllFolders, std::optional(true));
  if (o.events.empty()) io.fail("missing-element", "a subscription to no events");
  g.EventTypes = io.make<ewst__EventTypes>();
  for (const auto kind : o.events) {
    if (kind == EventKind::status_event) io.fail("bad-value", "StatusEvent cannot be subscribed to");
    g.EventTypes->EventType.push_back(io.spell(kind));
  }
}
void fill(Writer& io, ewsm__SubscribeRequest& g, const SubscribeRequest& o) {
  if (const auto* pull = std::get_if<PullSubscription>(&o.kind)) {
    g.__union_SubscribeRequest = SOAP_UNION__ewsm__union_SubscribeRequest_PullSubscriptionRequest;
    auto& value = *(g.union_SubscribeRequest.PullSubscriptionRequest = io.make<ewst__PullSubscription>());
    write_subscription(io, value, o);
    io(value.Watermark, pull->watermark);
    check_range(io, pull->timeout_minutes, 1, 1440, "Timeout");
    io(value.Timeout, pull->timeout_minutes);
  } else {
    g.__union_SubscribeRequest = SOAP_UNION__ewsm__union_SubscribeRequest_StreamingSubscriptionRequest;
    auto& value =
        *(g.union_SubscribeRequest.StreamingSubscriptionRequest = io.make<ewst__StreamingSubscription>());
    write_subscription(io, value, o);
  }
}

void fill(Writer& io, ewsm__GetEventsRequest& g, const GetEventsRequest& o) {
  if (o.subscription_id.empty() || o.watermark.empty())
    io.fail("missing-element", "GetEvents needs a subscription id and a watermark");
  io(g.SubscriptionId, o.subscription_id);
  io(g.Watermark, o.watermark);
}

void fill(Writer& io, ewsm__GetStreamingEventsRequest& g, const GetStreamingEventsRequest& o) {
  if (o.subscription_ids.empty()) io.fail("missing-element", "no subscription ids");
  g.SubscriptionIds = io.make<ewst__SubscriptionIds>();
  for (const auto& id : o.subscription_ids) {
    if (id.empty()) io.fail("missing-element", "an empty subscription id");
    g.SubscriptionIds->SubscriptionId.push_back(io.spell(id));
  }
  check_range(io, o.connection_timeout_minutes, 1, 30, "ConnectionTimeout");
  io(g.ConnectionTimeout, o.connection_timeout_minutes);
}

void fill(Writer& io, ewsm__UnsubscribeRequest& g, const UnsubscribeRequest& o) {
  if (o.subscription_id.empty()) io.fail("missing-element", "an empty subscription id");
  io(g.SubscriptionId, o.subscription_id);
}

void fill(Writer& io, ewsm__ResolveNamesRequest& g, const ResolveNamesRequest& o) {
  write_optional(io, g.ParentFolderIds, o.parent_folders);
  if (o.unresolved_entry.empty()) io.fail("missing-element", "no name to resolve");
  io(g.UnresolvedEntry, o.unresolved_entry);
  io(g.ReturnFullContactData, o.return_full_contact_data);
  io(g.SearchScope, o.search_scope);
  io(g.ContactDataShape, o.contact_data_shape);
}

void fill(Writer& io, ewsm__GetServerTimeZonesRequest& g, const GetServerTimeZonesRequest& o) {
  if (!o.ids.empty()) {
    g.Ids = io.make<ewst__TimeZoneIds>();
    for (const auto& id : o.ids) g.Ids->Id.push_back(io.spell(id));
  }
  io(g.ReturnFullTimeZoneData, o.return_full_time_zone_data);
}

void fill(Writer& io, ewsm__ConvertIdRequest& g, const ConvertIdRequest& o) {
  if (o.ids.empty()) io.fail("missing-element", "no ids to convert");
  g.SourceIds = io.make<ewst__AlternateIds>();
  for (const auto& id : o.ids)
    if (id.mailbox.empty()) io.fail("missing-element", "an id to convert without its mailbox");
  io.elements(g.SourceIds->AlternateId, o.ids);
  io(g.DestinationFormat, o.destination);
}

// ---- envelopes

// The operations whose WSDL takes a TimeZoneContext; the others answer in UTC anyway.
constexpr std::array<std::string_view, 9> with_time_zone{"GetFolder",  "FindFolder",       "CreateFolder",
                                                         "FindItem",   "GetItem",          "CreateItem",
                                                         "UpdateItem", "CreateAttachment", "GetAttachment"};

void fill_header(Writer& io, SOAP_ENV__Header& g, const SoapHeader& o, std::string_view operation) {
  g.ewst__RequestServerVersion = io.make<_ewst__RequestServerVersion>();
  io(g.ewst__RequestServerVersion->Version, o.request_server_version);
  if (o.impersonate_smtp && operation != "GetServerTimeZones") {
    if (o.impersonate_smtp->empty()) io.fail("missing-element", "impersonation without an address");
    g.ewst__ExchangeImpersonation_ = io.make<ewst__ExchangeImpersonation>();
    auto& sid = *(g.ewst__ExchangeImpersonation_->ConnectingSID = io.make<ewst__ConnectingSid>());
    sid.__union_ConnectingSid = SOAP_UNION__ewst__union_ConnectingSid_SmtpAddress;
    io(sid.union_ConnectingSid.SmtpAddress, o.impersonate_smtp);
  }
  for (const auto name : with_time_zone) {
    if (name != operation) continue;
    g.ewst__TimeZoneContext_ = io.make<ewst__TimeZoneContext>();
    io(g.ewst__TimeZoneContext_->TimeZoneDefinition, TimeZoneDefinition{.id = o.time_zone_id});
  }
}

template <class G, class Request>
Result<std::string> encode_request(const Request& request, const SoapHeader& header, const char* element) {
  Writer io;
  G body;
  body.soap_default(nullptr);
  SOAP_ENV__Header soap_header;
  soap_default_SOAP_ENV__Header(nullptr, &soap_header);
  fill_header(io, soap_header, header, Request::operation);
  fill(io, body, request);
  if (io.failure())
    return fail(Error(*io.failure()).during("writing a " + std::string(Request::operation) + " request"));

  std::string out;
  auto context = Context::for_writing(out);
  auto* soap = context.get();
  soap->encodingStyle = nullptr;  // RPC attributes otherwise
  soap->header = &soap_header;
  soap_serializeheader(soap);
  body.soap_serialize(soap);
  const bool failed = soap_begin_send(soap) != SOAP_OK || soap_envelope_begin_out(soap) != SOAP_OK ||
                      soap_putheader(soap) != SOAP_OK || soap_body_begin_out(soap) != SOAP_OK ||
                      body.soap_put(soap, element, "") != SOAP_OK || soap_body_end_out(soap) != SOAP_OK ||
                      soap_envelope_end_out(soap) != SOAP_OK || soap_end_send(soap) != SOAP_OK;
  soap->header = nullptr;
  if (failed)
    return fail(ErrorDomain::local, "write-failed",
                "gSOAP could not write the request (error " + std::to_string(soap->error) + ")");
  return out;
}

}  // namespace

const std::string& splice_marker() {
  // 48 octets: a whole number of base64 groups, so that its encoding is one run without padding.
  static constexpr char text[] = "\x01\x02 splice marker of a streamed syncline body. \x02\x01";
  static_assert(sizeof text - 1 == 48);
  static const std::string marker(text, sizeof text - 1);
  return marker;
}

template <class Request>
Result<SplicedRequest> encode_spliced(const Request& request, const SoapHeader& header) {
  auto text = encode(request, header);
  if (!text) return unexpected<Error>(std::move(text).error());
  static const std::string encoded_marker = base64_encode(splice_marker());
  const auto at = text->find(encoded_marker);
  if (at == std::string::npos || text->find(encoded_marker, at + 1) != std::string::npos)
    return fail(ErrorDomain::input, "bad-splice", "the request must hold the splice marker exactly once");
  return SplicedRequest{.prefix = text->substr(0, at), .suffix = text->substr(at + encoded_marker.size())};
}

#define SYNCLINE_ENCODE(Name)                                                          \
  template <>                                                                          \
  Result<std::string> encode(const Name##Request& request, const SoapHeader& header) { \
    return encode_request<ewsm__##Name##Request>(request, header, "ewsm:" #Name);      \
  }                                                                                    \
  template Result<SplicedRequest> encode_spliced(const Name##Request& request, const SoapHeader& header);
SYNCLINE_ENCODE(GetFolder)
SYNCLINE_ENCODE(FindFolder)
SYNCLINE_ENCODE(CreateFolder)
SYNCLINE_ENCODE(SyncFolderHierarchy)
SYNCLINE_ENCODE(SyncFolderItems)
SYNCLINE_ENCODE(FindItem)
SYNCLINE_ENCODE(GetItem)
SYNCLINE_ENCODE(CreateItem)
SYNCLINE_ENCODE(UpdateItem)
SYNCLINE_ENCODE(DeleteItem)
SYNCLINE_ENCODE(MoveItem)
SYNCLINE_ENCODE(SendItem)
SYNCLINE_ENCODE(CreateAttachment)
SYNCLINE_ENCODE(GetAttachment)
SYNCLINE_ENCODE(DeleteAttachment)
SYNCLINE_ENCODE(Subscribe)
SYNCLINE_ENCODE(GetEvents)
SYNCLINE_ENCODE(GetStreamingEvents)
SYNCLINE_ENCODE(Unsubscribe)
SYNCLINE_ENCODE(ResolveNames)
SYNCLINE_ENCODE(GetServerTimeZones)
SYNCLINE_ENCODE(ConvertId)
#undef SYNCLINE_ENCODE

}  // namespace syncline::ews::codec
