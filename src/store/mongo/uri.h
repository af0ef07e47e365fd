// The address of a server: parsed, completed with the time-outs and the write concern that maeil insists on.
#pragma once

#include <memory>
#include <string>

#include "store/mongo/driver.h"

namespace maeil::store::mongo {

class Uri {
 public:
  // Loads the driver. kUsage, without the password, when the text is no address or names no possible
  // database.
  static Result<Uri> parse(const std::string& text, const std::string& database);

  const mongoc_uri_t* get() const { return uri_.get(); }
  const std::string& database() const { return database_; }
  std::string hosts() const;  // "db1:27017,db2:27017"
  std::string password() const;

 private:
  struct Free {
    void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
  };
  std::unique_ptr<mongoc_uri_t, Free> uri_;
  std::string database_;
};

}  // namespace maeil::store::mongo
