# frozen_string_literal: true

class RecordSessionStore
  class Row < ActiveRecord::Base
    self.table_name = "sessions"

    def contents
      Marshal.load(data.unpack1("m")) # rubocop:disable Security/MarshalLoad (the store's real format)
    end

    def contents=(values)
      self.data = [Marshal.dump(values)].pack("m")
    end
  end
end
