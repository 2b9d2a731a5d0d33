// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/soap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

namespace {

/// Versions by age; a server knows those up to its own.
constexpr std::array<std::string_view, 20> versions{
    "Exchange2007",     "Exchange2007_SP1", "Exchange2009", "Exchange2010",     "Exchange2010_SP1",
    "Exchange2010_SP2", "Exchange2012",     "Exchange2013", "Exchange2013_SP1", "Exchange2015",
    "Exchange2016",     "V2015_10_05",      "V2016_01_06",  "V2016_04_13",      "V2016_07_13",
    "V2016_10_10",      "V2017_01_07",      "V2017_04_14",  "V2017_07_11",      "V2018_01_08"};

std::string_view newest_version(Product product) noexcept {
  switch (product) {
    case Product::exchange2013:
      return "Exchange2013_SP1";
    case Product::exchange2016:
    case Product::exchange2019:
    case Product::subscription_edition:
      return "V2017_07_11";
    case Product::online:
      break;
  }
  return "V2018_01_08";
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> texts{{
    {"ErrorServerBusy", "The server cannot service this request right now. Try again later."},
    {"ErrorExceededConnectionCount",
     "You have exceeded the available concurrent connections for your account.  Try again once your other "
     "requests "
     "have completed."},
    {"ErrorInternalServerError", "An internal server error occurred. The operation failed."},
    {"ErrorInvalidServerVersion", "The specified server version is invalid."},
    {"ErrorSchemaValidation", "The request failed schema validation."},
    {"ErrorInvalidSyncStateData", "Synchronization state data is corrupt or otherwise invalid."},
    {"ErrorImpersonateUserDenied", "The account does not have permission to impersonate the requested user."},
    {"ErrorImpersonationRequired",
     "ExchangeImpersonation SOAP header must be present for this type of OAuth token."},
    {"ErrorInvalidExchangeImpersonationHeaderData",
     "ExchangeImpersonation SOAP header contains invalid data."},
    {"ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."},
    {"ErrorWrongServerVersion", "The requested mailbox is on a server of another version."},
    {"ErrorAccessDenied", "Access is denied. Check credentials and try again."},
    {"ErrorInvalidSubscription", "The subscription is invalid."},
    {"ErrorSubscriptionNotFound", "The specified subscription was not found."},
    {"ErrorItemNotFound", "The specified object was not found in the store."},
    {"ErrorIrresolvableConflict",
     "The send or update operation could not be performed because the change key passed in the request does "
     "not match "
     "the current change key for the item."},
    {"ErrorMimeContentConversionFailed", "The operation to convert MIME content failed."},
    {"ErrorCorruptData", "Data is corrupt."},
    {"ErrorMessageSizeExceeded", "The message exceeds the maximum supported size."},
    {"ErrorInvalidRequest", "The request is invalid."},
}};

std::string message_xml_element(std::string_view content, std::string_view prefix) {
  if (content.empty()) return {};
  if (prefix == "m")
    return fmt::format("<m:MessageXml xmlns:t=\"{}\">{}</m:MessageXml>", types_namespace, content);
  return fmt::format("<t:MessageXml xmlns:t=\"{}\">{}</t:MessageXml>", types_namespace, content);
}

}  // namespace

std::string server_version_attributes(const Site& site) {
  const auto build = syncline::text::split(site.build, '.');
  return fmt::format(
      "MajorVersion=\"{}\" MinorVersion=\"{}\" MajorBuildNumber=\"{}\" MinorBuildNumber=\"{}\" "
      "Version=\"{}\"",
      build[0], build[1], build[2], build[3], newest_version(site.product));
}

bool knows_version(const Site& site, std::string_view version) noexcept {
  const auto* asked = std::find(versions.begin(), versions.end(), version);
  const auto* newest = std::find(versions.begin(), versions.end(), newest_version(site.product));
  return asked != versions.end() && asked <= newest;
}

std::string soap_envelope(const Site& site, std::string_view body_xml) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{}\"><s:Header><h:ServerVersionInfo "
      "{} "
      "xmlns:h=\"{}\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"/></s:Header><s:Body>{}</s:Body></s:Envelope>",
      soap_namespace, server_version_attributes(site), types_namespace, body_xml);
}

std::string soap_fault(std::string_view code, std::string_view message, std::string_view message_xml) {
  const auto text = xml_escape(message);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{0}\"><s:Body><s:Fault><faultcode "
      "xmlns:a=\"{1}\">a:{2}</faultcode><faultstring "
      "xml:lang=\"en-US\">{3}</faultstring><detail><e:ResponseCode "
      "xmlns:e=\"{4}\">{2}</e:ResponseCode><e:Message "
      "xmlns:e=\"{4}\">{3}</e:Message>{5}</detail></s:Fault></s:Body></s:Envelope>",
      soap_namespace, types_namespace, xml_escape(code), text, errors_namespace,
      message_xml_element(message_xml, "t"));
}

std::string schema_fault(long line, long position, std::string_view violation) {
  const auto text = fmt::format("The request failed schema validation: {}", violation);
  return soap_fault("ErrorSchemaValidation", text,
                    fmt::format("<t:LineNumber>{}</t:LineNumber><t:LinePosition>{}</t:LinePosition>"
                                "<t:Violation>{}</t:Violation>",
                                line, position, xml_escape(violation)));
}

std::string back_off_value(std::chrono::milliseconds hint) {
  return fmt::format("<t:Value Name=\"BackOffMilliseconds\">{}</t:Value>", hint.count());
}

std::string error_response(std::string_view operation, std::size_t batch, std::string_view code,
                           std::string_view message, std::string_view message_xml) {
  const auto name = xml_escape(operation);
  const auto one = fmt::format(
      "<m:{0}ResponseMessage ResponseClass=\"Error\"><m:MessageText>{1}</m:MessageText><m:ResponseCode>{2}"
      "</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{3}</m:{0}ResponseMessage>",
      name, xml_escape(message), xml_escape(code), message_xml_element(message_xml, "m"));
  std::string all;
  for (std::size_t i = 0; i < std::max<std::size_t>(batch, 1); ++i) all += one;
  return fmt::format(
      "<m:{0}Response xmlns:m=\"{1}\"><m:ResponseMessages>{2}</m:ResponseMessages></m:{0}Response>", name,
      messages_namespace, all);
}

std::string_view message_of_code(std::string_view code) noexcept {
  for (const auto& [known, text] : texts) {
    if (known == code) return text;
  }
  return "The request failed.";
}

}  // namespace exchange_sim
