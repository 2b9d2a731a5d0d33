// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/schema.hpp"

#include <fmt/format.h>
#include <libxml/xmlschemas.h>

#include <filesystem>

#include "base/text.hpp"

namespace exchange_sim {

using syncline::ErrorDomain;
using syncline::fail;

struct Schema::Parts {
  ~Parts() { xmlSchemaFree(schema); }
  std::string wrapper;  ///< libxml2 reads from it in place
  xmlSchema* schema = nullptr;
};

namespace {

void collect_first(void* data, xmlError* error) {
  auto* first = static_cast<std::string*>(data);
  if (!first->empty() || error == nullptr || error->message == nullptr || error->level < XML_ERR_ERROR)
    return;
  *first = fmt::format("{}:{}: {}", error->file == nullptr ? "schema" : error->file, error->line,
                       syncline::text::trim(error->message));
}

struct Collector {
  std::vector<Violation>* out;
  std::size_t limit;
};

void collect(void* data, xmlError* error) {
  auto* collector = static_cast<Collector*>(data);
  if (error == nullptr || error->message == nullptr || collector->out->size() >= collector->limit) return;
  const auto* node = static_cast<const xmlNode*>(error->node);
  collector->out->push_back({node == nullptr ? error->line : xmlGetLineNo(node),
                             std::string(syncline::text::trim(error->message))});
}

}  // namespace

Schema::Schema(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Schema::~Schema() = default;

syncline::Result<std::shared_ptr<const Schema>> Schema::load(const std::string& folder) {
  forbid_xml_network();
  std::error_code error;
  const auto absolute = std::filesystem::absolute(folder, error);
  // Microsoft's names, or those of our own profile.
  const bool ours = std::filesystem::is_regular_file(absolute / "ews-messages.xsd", error);
  const std::string prefix = ours ? "ews-" : "";
  for (const char* file : {"messages.xsd", "types.xsd"}) {
    if (!std::filesystem::is_regular_file(absolute / (prefix + file), error)) {
      return fail(ErrorDomain::input, "bad-schema", fmt::format("no {}{} in {}", prefix, file, folder));
    }
  }
  auto parts = std::make_unique<Parts>();
  parts->wrapper = fmt::format(
      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
      "<xs:import namespace='http://www.w3.org/XML/1998/namespace' "
      "schemaLocation='urn:exchange-sim:xml.xsd'/>"
      "<xs:import namespace='{}' schemaLocation='{}'/><xs:import namespace='{}' "
      "schemaLocation='{}'/></xs:schema>",
      types_namespace, xml_escape((absolute / (prefix + "types.xsd")).string()), messages_namespace,
      xml_escape((absolute / (prefix + "messages.xsd")).string()));
  auto* context = xmlSchemaNewMemParserCtxt(parts->wrapper.data(), static_cast<int>(parts->wrapper.size()));
  if (context == nullptr) return fail(ErrorDomain::local, "no-memory", "libxml2 has no memory");
  std::string complaint;
  xmlSchemaSetParserStructuredErrors(context, collect_first, &complaint);
  parts->schema = xmlSchemaParse(context);
  xmlSchemaFreeParserCtxt(context);
  if (parts->schema == nullptr) {
    return fail(ErrorDomain::input, "bad-schema",
                fmt::format("the schema in {} cannot be used: {}", folder, complaint));
  }
  return std::shared_ptr<const Schema>(new Schema(std::move(parts)));
}

std::vector<Violation> Schema::check(const XmlDocument& request, std::size_t limit) const {
  std::vector<Violation> out;
  const xmlNode* root = request.root();
  const xmlNode* body = is_element(root, soap_namespace, "Envelope") ? child_named(root, "Body") : nullptr;
  if (body == nullptr) {
    out.push_back({1, "the request is no SOAP envelope with a Body"});
    return out;
  }
  std::vector<xmlNode*> checked;
  for (xmlNode* header : child_elements(child_named(root, "Header"))) {
    const auto space = namespace_of(header);
    if (space == types_namespace || space == messages_namespace) checked.push_back(header);
  }
  const auto in_body = child_elements(body);
  if (in_body.size() != 1) {
    out.push_back({xmlGetLineNo(body), fmt::format("the Body has {} elements, not one", in_body.size())});
  }
  checked.insert(checked.end(), in_body.begin(), in_body.end());

  struct Free {
    void operator()(xmlSchemaValidCtxt* context) const noexcept { xmlSchemaFreeValidCtxt(context); }
  };
  const std::unique_ptr<xmlSchemaValidCtxt, Free> context(xmlSchemaNewValidCtxt(parts_->schema));
  if (!context) return out;
  Collector collector{&out, limit};
  xmlSchemaSetValidStructuredErrors(context.get(), collect, &collector);
  for (xmlNode* element : checked) xmlSchemaValidateOneElement(context.get(), element);
  return out;
}

}  // namespace exchange_sim
