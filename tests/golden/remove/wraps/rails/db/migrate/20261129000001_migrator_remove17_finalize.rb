# frozen_string_literal: true

require_relative "../migrator_removal/step"

# Does 17_finalize.
#
# The statements, what they lock and until when they can be undone: db/migrator_removal/deploy/17_finalize.sql
class MigratorRemove17Finalize < ActiveRecord::Migration[ActiveRecord::Migration.current_version]
  include MigratorRemoval::Step

  # The files open their transactions themselves, one for each part.
  disable_ddl_transaction!

  def up
    run_step("17_finalize", "deploy")
  end

  def down
    run_step("17_finalize", "revert")
  end
end
