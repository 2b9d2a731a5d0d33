// SPDX-License-Identifier: GPL-3.0-or-later
// In memory, CPU time: GetItem with metadata (batches of 100, about 1.7 KB an item) and SyncFolderItems with
// ids alone. Bars (issue 2, a-24): 20,000 items and 200,000 ids a CPU second.
#include <benchmark/benchmark.h>

#include <string>

#include "ews/codec/codec.hpp"
#include "tests/unit/ews_codec/soap.hpp"

namespace syncline::ews {
namespace {

std::string id(int number) {
  auto digits = std::to_string(number);
  return "AAMkADkzNjJjODUzLWZhMDMtNDVkMS05ZDdjLWVmMDlkYjQ1Zjc4MwBGAAAAAABSSWVKrmGUTJE+"
         "MVIvofglBwDZGACZQpSgSpyNkexYe2b7"
         "AAAAAAENAADZGACZQpSgSpyNkexYe2b7AAANGFYw" +
         std::string(6 - std::min<std::size_t>(6, digits.size()), 'A') + digits + "=";
}

std::string mailbox(const std::string& name) {
  return "<t:Mailbox><t:Name>" + name + "</t:Name><t:EmailAddress>" + name +
         "@example.com</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</"
         "t:MailboxType>"
         "</t:Mailbox>";
}

std::string metadata(int number) {
  return "<t:Message><t:ItemId Id=\"" + id(number) +
         "\" ChangeKey=\"CQAAABYAAADZGACZQpSgSpyNkexYe2b7AAANGGnM\"/>"
         "<t:ParentFolderId Id=\"" +
         id(1) +
         "\" ChangeKey=\"AQAAAA==\"/><t:ItemClass>IPM.Note</t:ItemClass>"
         "<t:Subject>Quarterly figures &amp; plans, number " +
         std::to_string(number) +
         "</t:Subject>"
         "<t:Sensitivity>Normal</t:Sensitivity><t:DateTimeReceived>2026-03-04T05:06:07Z</t:DateTimeReceived>"
         "<t:Size>34567</t:Size><t:Categories><t:String>Red</t:String></t:Categories><t:Importance>Normal</"
         "t:Importance>"
         "<t:IsDraft>false</t:IsDraft><t:DateTimeSent>2026-03-04T05:06:01Z</t:DateTimeSent>"
         "<t:HasAttachments>false</"
         "t:HasAttachments>"
         "<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId=\"c11ff724-aa03-4555-9952-8fa248a11c3e\" "
         "PropertyName=\"Operation\" PropertyType=\"String\"/><t:Value>op-" +
         std::to_string(number) +
         "</t:Value></t:ExtendedProperty><t:LastModifiedTime>2026-03-04T05:06:09Z</t:LastModifiedTime>"
         "<t:ToRecipients>" +
         mailbox("one") + "</t:ToRecipients><t:From>" + mailbox("sender") +
         "</t:From><t:InternetMessageId>&lt;0123456789abcdef@mail.example.com&gt;</t:InternetMessageId>"
         "<t:IsRead>true</t:IsRead></t:Message>";
}

void get_item_metadata(benchmark::State& state) {
  std::string messages;
  for (int i = 0; i < 100; ++i)
    messages +=
        "<m:GetItemResponseMessage "
        "ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:Items>" +
        metadata(i) + "</m:Items></m:GetItemResponseMessage>";
  const auto xml = test::envelope("<m:GetItemResponse><m:ResponseMessages>" + messages +
                                  "</m:ResponseMessages></m:GetItemResponse>");
  for (auto _ : state) {
    auto read = codec::decode<GetItemRequest>(xml);
    if (!read || !read->expect(100)) state.SkipWithError("not read");
    benchmark::DoNotOptimize(read);
  }
  state.SetItemsProcessed(state.iterations() * 100);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(xml.size()));
}
BENCHMARK(get_item_metadata);

void sync_folder_items_ids(benchmark::State& state) {
  std::string changes;
  for (int i = 0; i < 512; ++i)
    changes += "<t:Create><t:Message><t:ItemId Id=\"" + id(i) +
               "\" ChangeKey=\"CQAAABYAAADZGACZQpSgSpyNkexYe2b7AAANGGnM\"/></t:Message></t:Create>";
  const auto xml = test::reply("SyncFolderItems",
                               "<m:SyncState>H4sIAAA=</m:SyncState><m:IncludesLastItemInRange>false"
                               "</m:IncludesLastItemInRange><m:Changes>" +
                                   changes + "</m:Changes>");
  for (auto _ : state) {
    auto read = codec::decode<SyncFolderItemsRequest>(xml);
    if (!read || read->messages[0].value.changes.size() != 512) state.SkipWithError("not read");
    benchmark::DoNotOptimize(read);
  }
  state.SetItemsProcessed(state.iterations() * 512);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(xml.size()));
}
BENCHMARK(sync_folder_items_ids);

}  // namespace
}  // namespace syncline::ews

BENCHMARK_MAIN();
